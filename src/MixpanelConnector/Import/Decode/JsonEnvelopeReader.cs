using System.Buffers;
using System.Collections.Frozen;
using System.Text;
using System.Text.Json;
using MixpanelConnector.Import.Source;

namespace MixpanelConnector.Import.Decode;

/// <summary>
/// Reads consecutive JSON objects that hold their records in a list, such as the pages of an API: <c>{"results":[…]}</c>.
/// Everything else in them is skipped.
/// </summary>
/// <param name="window">Positioned where reading begins.</param>
/// <param name="line">The number of lines before it.</param>
/// <param name="begun">Whether that is after a record instead of before an object.</param>
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

    /// <summary>The length of text within which it is decided whether it begins with such an object.</summary>
    const int LongestHead = 64 << 10;

    static readonly byte[][] Lists = Names("data events results");

    /// <summary>Members that records have, and their envelopes do not.</summary>
    static readonly byte[][] OfRecords =
        Names("event properties distinct_id group_id $distinct_id $group_id $properties $token $set $set_once $add $union $append $remove $unset $delete");

    /// <summary>Members of a page or a response next to its records. Case and underscores are ignored.</summary>
    static readonly FrozenSet<string> OfPages = FrozenSet.Create(
        StringComparer.OrdinalIgnoreCase,
        [.. "data events results page pages pagesize perpage total totalcount totalpages count limit offset next previous prev nextpage nextpagetoken cursor nextcursor hasmore meta metadata links paging pagination status sessionid computedat object url error errors success ok message requestid".Split(' ')]);

    static readonly SearchValues<byte> Marks = SearchValues.Create("\"[]{}"u8);

    static readonly SearchValues<byte> Ends = SearchValues.Create(" \t\r\n,}]"u8);

    Expecting _expecting = begun ? Expecting.Record : Expecting.Object;
    bool _isList;
    bool _inString; // of the value being skipped, as are the next two
    bool _inScalar;
    int _depth;

    protected override bool IsComplete => _expecting is Expecting.Object;

    protected override bool MayGoOn => true;

    /// <summary>
    /// Whether a text begins with such an object; null when its first object is incomplete and it is not clear
    /// yet. The object has a list of objects, or an empty one, under one of the names, and no member of records.
    /// In addition, either the first element of the list has one, or all other members are those of pages.
    /// </summary>
    /// <param name="text">The text.</param>
    /// <param name="request">Specifies which members are mapped or typed: these are members of records, too.</param>
    /// <param name="isAll">Whether there is no more text.</param>
    public static bool? Begins(ReadOnlySpan<byte> text, ImportRequest request, bool isAll = false)
    {
        isAll |= text.Length >= LongestHead;
        text = text[..Math.Min(text.Length, LongestHead)].TrimStart(" \t\r\n"u8);
        if (text is not [(byte)'{', ..] || request.Mapping is not null) return false; // a mapping determines what records look like
        byte[][] ofRecords =
        [
            .. OfRecords,
            .. request.NamedColumns.Select(Encoding.UTF8.GetBytes),
            .. request.Event is null ? [] : Names("time $user_id $device_id"),
        ];
        var (has, holdsRecords, isPage) = (false, false, true);
        try
        {
            var reader = new Utf8JsonReader(text, isFinalBlock: false, default);
            reader.Read();
            while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
            {
                if (IsOneOf(in reader, ofRecords)) return false;
                isPage = isPage && OfPages.Contains(reader.GetString()!.Replace("_", "", StringComparison.Ordinal));
                var isList = IsOneOf(in reader, Lists);
                if (!reader.Read()) break;
                if (isList && reader.TokenType is JsonTokenType.StartArray) TakeList(reader, ofRecords, ref has, ref holdsRecords);
                if (!reader.TrySkip()) break;
            }

            var isWhole = reader.TokenType is JsonTokenType.EndObject && reader.CurrentDepth == 0;
            if (isWhole || isAll || holdsRecords) return has && (holdsRecords || isPage);
            return isPage ? null : false;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return has && (holdsRecords || isPage); // reported when it is read
        }
    }

    /// <summary>Looks at the first element of a list.</summary>
    static void TakeList(Utf8JsonReader list, byte[][] ofRecords, ref bool has, ref bool holdsRecords)
    {
        has |= !list.Read() || list.TokenType is JsonTokenType.StartObject or JsonTokenType.EndArray;
        if (list.TokenType is not JsonTokenType.StartObject) return;
        while (list.Read() && list.TokenType is JsonTokenType.PropertyName)
        {
            holdsRecords |= IsOneOf(in list, ofRecords);
            if (!list.Read() || !list.TrySkip()) return;
        }
    }

    static byte[][] Names(string names) => [.. names.Split(' ').Select(Encoding.UTF8.GetBytes)];

    static bool IsOneOf(ref readonly Utf8JsonReader name, byte[][] names)
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

    /// <summary>Skips one delimiter, name or value between records; false when it is incomplete.</summary>
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
                throw new InputException($"is not valid JSON: an unexpected character on line {Line + 1}, at byte {Window.Offset}");
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

        if (unread.Length > InputWindow.LargestRecord) throw new InputException($"is not valid JSON: a name on line {Line + 1} is not closed");
        return false;
    }

    static bool IsList(ReadOnlySpan<byte> name)
    {
        foreach (var list in Lists)
            if (name.SequenceEqual(list)) return true;
        return false;
    }

    /// <summary>Skips as much of a value without records as is available.</summary>
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
                if (stop < 0 || (unread[at] == '\\' && at + 1 == unread.Length)) break; // the escaped character is not available yet
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
                    return EndValue(unread[..at]); // a number, true, false or null ends before it
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
