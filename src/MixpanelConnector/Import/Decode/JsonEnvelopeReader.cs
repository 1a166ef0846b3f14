using System.Buffers;
using System.Text.Json;
using MixpanelConnector.Import.Source;

namespace MixpanelConnector.Import.Decode;

/// <summary>
/// JSON objects, one after the other, that have their records in a list: the pages that an API gives, as <c>{"results":[…]}</c>.
/// All else in them is passed by.
/// </summary>
/// <param name="window">Stands where reading begins.</param>
/// <param name="line">The lines before it.</param>
/// <param name="begun">Whether that is after a record, and not before an object.</param>
sealed class JsonEnvelopeReader(InputWindow window, long line, bool begun) : JsonArrayReader(window, line, begun)
{
    enum Expecting
    {
        Object,
        NameOrEnd,
        Name,
        Colon,
        Value,
        CommaOrEnd,
        Record,
    }

    static readonly string[] Lists = ["data", "events", "results"];

    /// <summary>What records have, and what they come in has not.</summary>
    static readonly string[] OfRecords = ["event", "properties", "distinct_id", "group_id", "$distinct_id", "$group_id", "$properties", "$token", "$set", "$set_once", "$add", "$union", "$append", "$remove", "$unset", "$delete"];

    static readonly SearchValues<byte> Marks = SearchValues.Create("\"[]{}"u8);

    static readonly SearchValues<byte> Ends = SearchValues.Create(" \t\r\n,}]"u8);

    Expecting _expecting = begun ? Expecting.Record : Expecting.Object;
    bool _isList;
    bool _inString; // of the value that is passed by, as the next two
    bool _inScalar;
    int _depth;

    protected override bool IsComplete => _expecting is Expecting.Object;

    protected override bool MayGoOn => true;

    /// <summary>Whether a text begins with such an object; null when its first object is not all there, and has not shown it yet.</summary>
    /// <param name="text">The text.</param>
    /// <param name="request">Says which members are mapped or typed: records have these as well.</param>
    public static bool? Begins(ReadOnlySpan<byte> text, ImportRequest request)
    {
        text = text.TrimStart(" \t\r\n"u8);
        if (text is not [(byte)'{', ..] || request.Mapping is not null) return false; // a mapping says what stands in a record
        bool? has = null;
        string[] ofRecords = [.. OfRecords, .. request.Columns.Values, .. request.ColumnTypes.Keys];
        try
        {
            var reader = new Utf8JsonReader(text, isFinalBlock: false, default);
            reader.Read();
            while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
            {
                if (IsOneOf(in reader, ofRecords)) return false;
                var isList = IsOneOf(in reader, Lists);
                if (!reader.Read()) break;
                var list = reader;
                if (isList && reader.TokenType is JsonTokenType.StartArray && (!list.Read() || list.TokenType is JsonTokenType.StartObject or JsonTokenType.EndArray)) has = true;
                if (!reader.TrySkip()) break;
            }

            return reader.TokenType is JsonTokenType.EndObject && reader.CurrentDepth == 0 ? has ?? false : has;
        }
        catch (JsonException)
        {
            return has ?? false; // it is told when it is read
        }
    }

    static bool IsOneOf(ref readonly Utf8JsonReader name, string[] names)
    {
        foreach (var one in names)
            if (name.ValueTextEquals(one)) return true;
        return false;
    }

    protected override bool FindValue()
    {
        while (_expecting is not Expecting.Record || !base.FindValue())
        {
            if (_expecting is Expecting.Record && !IsClosed) return false;
            if (_expecting is Expecting.Record) _expecting = Expecting.CommaOrEnd;
            if (!PassOne()) return false;
        }

        return true;
    }

    /// <summary>Passes one mark, name or value between records; false when it is not all there.</summary>
    bool PassOne()
    {
        if (_depth > 0 || _inString || _inScalar) return PassValue();
        var unread = Window.Unread;
        var space = unread.IndexOfAnyExcept(" \t\r\n"u8);
        if (space != 0) Pass(unread[..(space < 0 ? unread.Length : space)]);
        if (space < 0) return false;
        unread = Window.Unread;
        switch (_expecting, unread[0])
        {
            case (Expecting.Object, (byte)'{'):
                _expecting = Expecting.NameOrEnd;
                break;
            case (Expecting.NameOrEnd or Expecting.CommaOrEnd, (byte)'}'):
                _expecting = Expecting.Object;
                break;
            case (Expecting.CommaOrEnd, (byte)','):
                _expecting = Expecting.Name;
                break;
            case (Expecting.NameOrEnd or Expecting.Name, (byte)'"'):
                return PassName(unread);
            case (Expecting.Colon, (byte)':'):
                _expecting = Expecting.Value;
                break;
            case (Expecting.Value, (byte)'[') when _isList:
                Open();
                _expecting = Expecting.Record;
                return true;
            case (Expecting.Value, not ((byte)',' or (byte)']' or (byte)'}' or (byte)':')):
                return PassValue();
            default:
                throw new InputException($"is no valid JSON: an unexpected character on line {Line + 1}, at byte {Window.Offset}");
        }

        Pass(unread[..1]);
        return true;
    }

    bool PassName(ReadOnlySpan<byte> unread)
    {
        var end = 1;
        while (unread[end..].IndexOfAny((byte)'"', (byte)'\\') is var stop and >= 0)
        {
            end += stop;
            if (unread[end] == '"')
            {
                _isList = IsList(unread[1..end]);
                _expecting = Expecting.Colon;
                Pass(unread[..(end + 1)]);
                return true;
            }

            end = Math.Min(end + 2, unread.Length);
        }

        if (unread.Length > InputWindow.LargestRecord) throw new InputException($"is no valid JSON: a name on line {Line + 1} does not end");
        return false;
    }

    static bool IsList(ReadOnlySpan<byte> name) => name.SequenceEqual("data"u8) || name.SequenceEqual("events"u8) || name.SequenceEqual("results"u8);

    /// <summary>Passes a value that holds no records, as far as it is there.</summary>
    bool PassValue()
    {
        var unread = Window.Unread;
        var at = 0;
        while (at < unread.Length)
        {
            if (_inString)
            {
                var stop = unread[at..].IndexOfAny((byte)'"', (byte)'\\');
                at = stop < 0 ? unread.Length : at + stop;
                if (stop < 0 || (unread[at] == '\\' && at + 1 == unread.Length)) break; // what is escaped is not there yet
                _inString = unread[at] == '\\';
                at += _inString ? 2 : 1;
                if (_inString || _depth > 0) continue;
                return EndValue(unread[..at]);
            }

            _inScalar |= _depth == 0 && unread[at] is not ((byte)'"' or (byte)'[' or (byte)'{');
            var mark = unread[at..].IndexOfAny(_inScalar ? Ends : Marks);
            at = mark < 0 ? unread.Length : at + mark;
            if (mark < 0) break;
            switch (unread[at])
            {
                case (byte)'"':
                    _inString = true;
                    break;
                case (byte)'[' or (byte)'{':
                    _depth++;
                    break;
                case (byte)']' or (byte)'}' when _depth > 0:
                    if (--_depth == 0) return EndValue(unread[..(at + 1)]);
                    break;
                default:
                    return EndValue(unread[..at]); // a number, true, false or null ends before
            }

            at++;
        }

        Pass(unread[..at]);
        return false;
    }

    bool EndValue(ReadOnlySpan<byte> value)
    {
        Pass(value);
        _inScalar = false;
        _expecting = Expecting.CommaOrEnd;
        return true;
    }
}
