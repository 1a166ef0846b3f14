using MixpanelConnector.Testing;

namespace MixpanelConnector.Tests;

/// <summary>A line of the list of operations, <c>tests/Cases/actions/operations.tsv</c>: the action of one of Mixpanel's operations.</summary>
sealed record Operation(string Action, string OperationId, string Group, string Method, string Effect, bool IsFinal, bool IsRepeatable, string Cost,
    string Credential, string Inputs)
{
    static readonly Lazy<Operation[]> Lines =
        new(() => [.. File.ReadAllLines(Repository.File("tests/Cases/actions/operations.tsv")).Skip(1).Select(line => line.Split('\t'))
        .Select(cells => new Operation(cells[0], cells[1], cells[2], cells[3], cells[4], cells[5] == "final", cells[6] == "yes", cells[7], cells[8],
            cells[9]))]);

    public static IReadOnlyList<Operation> All => Lines.Value;
}
