using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace MixpanelConnector.Import.Map;

/// <summary>The starting point of a path.</summary>
/// <param name="Element">The value that is mapped: the record as read, or one of those in it.</param>
/// <param name="Name">The member with that value, when each member of an object is mapped; otherwise <see cref="JsonTree.None"/>.</param>
/// <param name="Index">The number of values before it.</param>
[StructLayout(LayoutKind.Auto)]
readonly record struct Scope(int Element, int Name, int Index)
{
    public static readonly Scope Record = new(0, JsonTree.None, 0);
}

/// <summary>
/// A path to a value, such as <c>context.app.version</c>: names separated by points. <c>["a.b"]</c> is a name that contains one,
/// <c>[0]</c> an element of a list, <c>[key=plan]</c> the first element with that text as the member, <c>*</c> the first value that is
/// present. A trailing <c>*</c> makes a name or text a prefix. <c>^</c> starts at the record as read, where each value of a list is mapped; <c>@</c> is that
/// value,
/// <c>@key</c> its name, <c>@index</c> its index, <c>@file</c> the name of the input without folders and extensions.
/// </summary>
sealed class MappingPath
{
    enum Origin
    {
        Element,
        Record,
        Key,
        Index,
        File,
    }

    readonly record struct Step(byte[]? Name, int Index, byte[]? Value, bool IsAny)
    {
        /// <summary>Whether the name, or the value if there is one, is only a prefix.</summary>
        public bool IsBeginning { get; init; }

        /// <summary>What a value must be for the step to lead into it.</summary>
        public NeededShape Needed =>
            IsAny ? NeededShape.Container : Value is not null ? NeededShape.Entries : Name is null ? NeededShape.List : NeededShape.Object;
    }

    readonly List<Step> _steps = [];
    readonly Origin _origin;
    string _text = "";

    /// <summary>Whether it leads to a member of the value that is mapped.</summary>
    public bool IsOfMember => _origin is Origin.Element && _steps is [{ Name: not null, Value: null }, ..];

    /// <summary>Whether it is the name of the value that is mapped.</summary>
    public bool IsKey => _origin is Origin.Key;

    MappingPath(Origin origin) => _origin = origin;

    /// <exception cref="FormatException">It is not a path.</exception>
    public static MappingPath Parse(string text)
    {
        switch (text)
        {
            case "":
                throw new FormatException("a path must not be empty");
            case "@key":
                return new(Origin.Key);
            case "@index":
                return new(Origin.Index);
            case "@file":
                return new(Origin.File);
        }

        var path = new MappingPath(text[0] == '^' ? Origin.Record : Origin.Element) { _text = text.TrimStart('^', '@').TrimStart('.') };
        var rest = text[0] is '^' or '@' ? text.AsSpan(1) : text;
        var isFirst = text[0] is not ('^' or '@');
        if (!isFirst && rest is not ([] or ['.', ..] or ['[', ..])) throw new FormatException($"the path {text} is invalid: a point must follow {text[0]}");
        while (!rest.IsEmpty)
        {
            if (rest[0] == '[')
            {
                rest = path.AddBracket(rest, text);
            }
            else
            {
                if (!isFirst) rest = rest[0] == '.' ? rest[1..] : throw new FormatException($"the path {text} has no point before {rest}");
                var end = rest.IndexOfAny('.', '[');
                var name = end < 0 ? rest : rest[..end];
                if (name.IsEmpty) throw new FormatException($"the path {text} has an empty name");
                path._steps.Add(name is "*"
                    ? new Step(null, 0, null, IsAny: true)
                    : new Step(Encoding.UTF8.GetBytes(name.TrimEnd('*').ToString()), 0, null, IsAny: false) { IsBeginning = name[^1] == '*' });
                rest = rest[name.Length..];
            }

            isFirst = false;
        }

        return path;
    }

    /// <summary>The path from the record as read; null when it does not lead to a value of the record.</summary>
    public string? Shown(RecordView record, in Scope scope)
    {
        if (_origin is not (Origin.Element or Origin.Record)) return null;
        var start = _origin is Origin.Record ? "" : record.PathOf(scope.Element);
        return start.Length == 0 ? _text : _text.Length == 0 || _text[0] == '[' ? start + _text : $"{start}.{_text}";
    }

    /// <summary>Finds the value; <see cref="Found.Nothing"/> when it is missing or null.</summary>
    public Found Find(RecordView record, in Scope scope)
    {
        switch (_origin)
        {
            case Origin.Key:
                return scope.Name < 0 ? Found.Nothing : Found.NameOf(in record.Tree[scope.Name]);
            case Origin.Index:
                return record.Number(scope.Index);
            case Origin.File:
                return record.File;
            default:
                var node = Node(record, in scope);
                return node < 0 ? Found.Nothing : Found.Of(in record.Tree[node], node);
        }
    }

    /// <summary>The index of the value, even if null; <see cref="JsonTree.None"/> when it is missing.</summary>
    public int Node(RecordView record, in Scope scope)
    {
        var tree = record.Tree;
        var at = _origin is Origin.Record ? 0 : scope.Element;
        foreach (var step in CollectionsMarshal.AsSpan(_steps))
        {
            var container = tree.ContainerOf(at);
            if (!CanLeadInto(tree, container, step.Needed))
            {
                if (container < 0 ? !tree.IsNothing(at) : !tree.IsEmpty(container)) tree.Miss(at, step.Needed);
                return JsonTree.None;
            }

            var from = at;
            at = step switch
            {
                { Name: { } beginning, Value: null, IsBeginning: true } => FirstThere(record, container, beginning),
                { Name: { } name, Value: null } => tree.Member(container, name),
                { IsAny: true } => FirstThere(record, container),
                { Name: { } name, Value: { } value } => Filtered(record, container, name, value, step.IsBeginning),
                _ => Element(tree, container, step.Index),
            };
            if (at >= 0 || step.Value is null || HasNamed(tree, container, step.Name!)) tree.Enter(from);
            else tree.Miss(from, step.Needed);
            if (at < 0) return JsonTree.None;
        }

        return at;
    }

    static bool CanLeadInto(JsonTree tree, int container, NeededShape needed) => container >= 0 && needed switch
    {
        NeededShape.Object => tree[container].Type is JsonTokenType.StartObject,
        NeededShape.List => tree[container].Type is JsonTokenType.StartArray,
        _ => true,
    };

    /// <summary>Whether entries of a container have a member by which they can be found, or there are none.</summary>
    static bool HasNamed(JsonTree tree, int container, byte[] name)
    {
        for (var at = tree.FirstOf(container); at >= 0; at = tree.After(at, container))
            if (tree.Member(at, name) is var member and >= 0 && tree[member].Type is not (JsonTokenType.StartObject or JsonTokenType.StartArray)) return true;
        return tree.IsEmpty(container);
    }

    ReadOnlySpan<char> AddBracket(ReadOnlySpan<char> rest, string text)
    {
        if (rest is ['[', '"', ..])
        {
            var close = rest.IndexOf("\"]", StringComparison.Ordinal);
            if (close < 3) throw new FormatException($"the path {text} has a name in quotes that is not closed, or is empty");
            _steps.Add(new Step(Encoding.UTF8.GetBytes(rest[2..close].ToString()), 0, null, IsAny: false));
            return rest[(close + 2)..];
        }

        var end = rest.IndexOf(']');
        if (end < 0) throw new FormatException($"the path {text} has a bracket that is not closed");
        var inner = rest[1..end];
        if (int.TryParse(inner, NumberStyles.None, CultureInfo.InvariantCulture, out var index)) _steps.Add(new Step(null, index, null, IsAny: false));
        else if (inner.IndexOf('=') is var equals and > 0)
            _steps.Add(new Step(Encoding.UTF8.GetBytes(inner[..equals].ToString()), 0, Encoding.UTF8.GetBytes(inner[(equals + 1)..].TrimEnd('*').ToString()),
                IsAny: false)
            { IsBeginning = inner[^1] == '*' });
        else throw new FormatException($"the path {text} has brackets that contain neither an index, nor a name in quotes, nor name=text");
        return rest[(end + 1)..];
    }

    static int FirstThere(RecordView record, int container, byte[]? beginning = null)
    {
        var tree = record.Tree;
        for (var at = tree.FirstOf(container); at >= 0; at = tree.After(at, container))
            if ((beginning is null || tree[at].RawName.StartsWith(beginning)) && !record.IsMissing(Found.Of(in tree[at], at))) return at;
        return JsonTree.None;
    }

    static int Element(JsonTree tree, int container, int index)
    {
        var at = tree.FirstOf(container);
        for (; at >= 0 && index > 0; index--) at = tree.After(at, container);
        return at;
    }

    static int Filtered(RecordView record, int container, byte[] name, byte[] value, bool isBeginning)
    {
        var tree = record.Tree;
        for (var at = tree.FirstOf(container); at >= 0; at = tree.After(at, container))
        {
            if (tree.Member(at, name) is not (var member and >= 0)) continue;
            var text = record.TextOf(Found.Of(in tree[member], member));
            if (isBeginning ? text.StartsWith(value) : text.SequenceEqual(value)) return at;
        }

        return JsonTree.None;
    }
}
