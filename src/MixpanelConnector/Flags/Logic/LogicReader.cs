using System.Text.Json;

namespace MixpanelConnector.Flags.Logic;

/// <summary>Parses a rule in JSON for evaluation: lowers its strings, resolves its operators, creates its constants.</summary>
static class LogicReader
{
    /// <exception cref="InvalidOperationException">A string is not valid Unicode.</exception>
    public static LogicNode Read(JsonElement rule) => rule.ValueKind switch
    {
        JsonValueKind.Array => ReadList(rule),
        JsonValueKind.Object when rule.GetPropertyCount() == 1 => ReadOperation(rule.EnumerateObject().First()),
        _ => new ConstantNode(LogicValue.Lowered(rule, lowersNames: false)),
    };

    static LogicNode ReadList(JsonElement list)
    {
        var items = ReadAll(list);
        return Array.TrueForAll(items, item => item is ConstantNode)
            ? new ConstantNode(LogicValue.Of(Array.ConvertAll(items, item => ((ConstantNode)item).Value)))
            : new ListOf(items);
    }

    static LogicNode[] ReadAll(JsonElement list)
    {
        var nodes = new LogicNode[list.GetArrayLength()];
        var at = 0;
        foreach (var item in list.EnumerateArray()) nodes[at++] = Read(item);
        return nodes;
    }

    static LogicNode ReadOperation(JsonProperty operation)
    {
        LogicNode[] given = operation.Value.ValueKind is JsonValueKind.Array ? ReadAll(operation.Value) : [Read(operation.Value)];
        var (first, second) = (given is [var a, ..] ? a : LogicNode.Nothing, given is [_, var b, ..] ? b : LogicNode.Nothing);
        return operation.Name switch
        {
            "var" when given.Length <= 2 && first is ConstantNode { Value: { Kind: LogicKind.Text, Text: { Length: > 0 } path } } =>
                new VarOf(path.Split('.'), second),
            "if" or "?:" => new Choice(given),
            "and" => new FirstOf(given, truth: false),
            "or" => new FirstOf(given, truth: true),
            "all" => new Search(first, second, endsOn: false, found: false, ofNone: false),
            "some" => new Search(first, second, endsOn: true, found: true, ofNone: false),
            "none" => new Search(first, second, endsOn: true, found: false, ofNone: true),
            "map" => new Projection(first, second, filters: false),
            "filter" => new Projection(first, second, filters: true),
            "reduce" => new Reduction(first, second, given is [_, _, var initial, ..] ? initial : null),
            var name => FewArguments.Find(name) is { } few ? new FewArguments(few, given)
                : ManyArguments.Find(name) is { } many ? new ManyArguments(many, given)
                : new UnknownOperator(),
        };
    }
}
