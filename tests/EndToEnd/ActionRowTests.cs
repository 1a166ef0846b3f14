using System.Collections.Concurrent;
using System.Text.Json;
using MixpanelConnector.Tool.Surfaces;

namespace MixpanelConnector.EndToEnd;

/// <summary>Every row of <c>tests/Cases/actions</c> with the program as a process, which in the suite is the one compiled ahead of time.</summary>
[Trait("tool", "native")]
public sealed class ActionRowTests
{
    const int AtOnce = 4;

    [Fact]
    public async Task The_program_asks_and_answers_as_every_row_says()
    {
        var rows = new ConcurrentQueue<ActionRow>(ActionRow.All.Where(row => !row.IsTimed));
        var faults = new ConcurrentQueue<string>();
        await Task.WhenAll(Enumerable.Range(0, AtOnce).Select(async _ =>
        {
            await using var mixpanel = await RowServer.StartAsync();
            while (rows.TryDequeue(out var row))
                if (await FaultAsync(row, mixpanel) is { } fault) faults.Enqueue($"{row.Name}: {fault}");
        }));

        Assert.True(faults.IsEmpty, string.Join("\n\n", faults));
    }

    /// <summary>
    /// What is wrong with the program's requests and its output; null for nothing. Each call has its own home, so that no limit per hour applies.
    /// </summary>
    static async Task<string?> FaultAsync(ActionRow row, RowServer mixpanel)
    {
        var action = ActionCatalogue.Find(row.Action)!;
        using var home = new Home();
        mixpanel.Begin(row);
        using var process = Run.StartMixpanel(home,
            [row.Action.Replace('_', '-'), "--input", "-", "--output", "json", .. action.NeedsConfirmation ? ["--yes"] : Array.Empty<string>(),
                .. action.HasSecret ? ["--show-secret"] : Array.Empty<string>()],
            mixpanel.Settings(row));
        await process.StandardInput.WriteAsync(row.Input.GetRawText());
        var done = await Run.EndAsync(process);

        var isProblem = done.Output.Length == 0;
        if (done.ExitCode != ExitCodeOf(row) || (!isProblem && done.Error.Length > 0)) return done.ToString();
        return row.Difference(JsonElement.Parse(isProblem ? done.Error : done.Output), isProblem, row.Secret) ?? mixpanel.Difference();
    }

    static int ExitCodeOf(ActionRow row) => row.Problem is { } problem
        ? ErrorTable.Row(Enum.Parse<ErrorKind>(problem.Kind.Replace("_", "", StringComparison.Ordinal), ignoreCase: true)).ExitCode
        : row.Refused ? ExitCode.Refused : ExitCode.Success;
}
