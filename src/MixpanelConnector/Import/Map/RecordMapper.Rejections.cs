using System.Text.Json;
using MixpanelConnector.Import.Decode;

namespace MixpanelConnector.Import.Map;

/// <content>Why a record is rejected, with the path of the value that is the reason.</content>
sealed partial class RecordMapper
{
    const int MostSought = 6;

    static string Shown(string path) => path.Length == 0 ? "a value" : Columns.RecordFields.Shown(path);

    static string? FieldOf(string path) => path.Length == 0 ? null : path;

    /// <summary>Reads a time. False when it is missing, or cannot be read.</summary>
    /// <param name="value">The time.</param>
    /// <param name="unit">Its unit.</param>
    /// <param name="scope">The value that is mapped.</param>
    /// <param name="time">The time in milliseconds since 1970.</param>
    /// <param name="bad">The value that cannot be read, or <see cref="JsonTree.None"/> for one that is derived from none; null if it is not that.</param>
    bool TryReadTime(MappingValue value, TimeUnit unit, in Scope scope, out long time, out int? bad)
    {
        var (misses, taken) = (_view.Tree.Misses, _view.Tree.Takes);
        var found = value.Read(_view, in scope);
        (time, bad) = (0, null);
        if (_view.Tree.Misses > misses && _view.Tree.TryFindFailed(misses, out var failed)) bad = failed; // another time must not replace it
        else if (found.IsThere && (found.IsContainer || !MappedTime.TryRead(_view.TextOf(in found), unit, out time))) bad = OriginOf(in found, taken);
        return bad is null && found.IsThere;
    }

    int OriginOf(in Found found, int taken) => found.Node >= 0 ? found.Node : _view.Tree.LastTaken(taken);

    Rejection BadTime(int value)
    {
        var path = _view.PathOf(value);
        return new("time_invalid", FieldOf(path) ?? "time",
            $"{(path.Length == 0 ? "the time" : Shown(path))}, which the mapping of {_vendor} reads, is invalid or ambiguous: it must be ISO 8601, "
            + $"or a count since 1970");
    }

    Rejection NoTime(EventSection section, in Scope scope)
    {
        var sought = Sought(section.Time, in scope);
        return new("time_missing", sought.Count > 0 ? sought[0] : "time", $"the record has no time where the mapping of {_vendor} looks for it{In(sought)}");
    }

    Rejection NoName(EventSection section, int misses, in Scope scope)
    {
        if (_view.Tree.TryFindFailed(misses, out var failed) && _view.PathOf(failed) is { Length: > 0 } path)
            return new("event_missing", path, $"{Shown(path)} has a value from which the mapping of {_vendor} makes no event name");
        var sought = Sought(section.Event, in scope);
        return new("event_missing", sought.Count > 0 ? sought[0] : "event",
            $"the record has no event name where the mapping of {_vendor} looks for it{In(sought)}");
    }

    Rejection BadName(in Found name, int taken)
    {
        var path = _view.PathOf(OriginOf(in name, taken));
        return new("event_invalid", FieldOf(path) ?? "event",
            $"{(path.Length == 0 ? "the event's name" : Shown(path))}, which the mapping of {_vendor} reads as the event's name, must be a text");
    }

    static string In(List<string> paths) =>
        paths.Count == 0 ? "" : $": in {string.Join(", ", paths.Take(MostSought).Select(Columns.RecordFields.Shown))}{(paths.Count > MostSought ? ", …" : "")}";

    /// <summary>The paths at which a value was sought.</summary>
    List<string> Sought(MappingValue value, in Scope scope)
    {
        var sought = _view.Sought = [];
        try
        {
            value.Read(_view, in scope);
        }
        finally
        {
            _view.Sought = null;
        }

        return [.. sought.Distinct(StringComparer.Ordinal)];
    }

    Rejection RepeatedAt(int member)
    {
        var path = _view.PathOf(member);
        return new("duplicate_key", FieldOf(path), $"{Shown(path)} is in its object twice: the mapping of {_vendor} would read only one of its values");
    }

    Rejection LostBy(int lost, NeededShape needed)
    {
        if (needed is NeededShape.Time) return BadTime(lost);
        var tree = _view.Tree;
        if (needed is NeededShape.Unique) return RepeatedAt(tree.RepeatedIn(tree.ContainerOf(lost, isNeeded: false)));
        var path = _view.PathOf(lost);
        var shown = Shown(path);
        if (path.Length > 0 && tree[lost].RawName.IsEmpty && tree[tree[lost].Parent].Type is JsonTokenType.StartArray) shown = $"an entry of {shown}";
        var isBroken = needed is not (NeededShape.Id or NeededShape.Scalar) && tree.HoldsBrokenJson(lost);
        var what = needed switch
        {
            NeededShape.Id => "must be a text or a number, since it identifies someone or something",
            NeededShape.Scalar => "must be a text or a number",
            _ when isBroken => "must contain a JSON object or list, but its text is not one: it was truncated, or is escaped differently",
            NeededShape.Object => $"must be an object with the members that the mapping of {_vendor} reads",
            NeededShape.List => "must be a list, even if it has only one entry",
            NeededShape.Container => "must be an object or a list",
            NeededShape.Members => "must be an object",
            NeededShape.EntriesWithValues => $"must be a list whose entries have one value, in a form that the mapping of {_vendor} reads",
            NeededShape.Names => "must be a list of names, or an object",
            _ => $"must be a list whose entries have the names that the mapping of {_vendor} reads, as texts",
        };
        return new("invalid_json", FieldOf(path),
            needed is NeededShape.Id || isBroken ? $"{shown} {what}" : $"{shown} {what}, but {ButOf(lost, needed)}: its content would be lost");
    }

    string ButOf(int lost, NeededShape needed)
    {
        var tree = _view.Tree;
        var container = tree.ContainerOf(lost, isNeeded: false);
        return tree[container >= 0 ? container : lost].Type switch
        {
            JsonTokenType.StartArray when needed is NeededShape.Entries or NeededShape.Names => "an entry has another form",
            JsonTokenType.StartArray or JsonTokenType.StartObject when needed is NeededShape.EntriesWithValues =>
                "an entry has another form, or several values",
            JsonTokenType.StartObject => "is an object",
            JsonTokenType.StartArray => "is a list",
            JsonTokenType.String => "is a text",
            JsonTokenType.Number => "is a number",
            _ => "is true or false",
        };
    }
}
