using System.IO.Hashing;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Unicode;
using MixpanelConnector.Import.Validate;

namespace MixpanelConnector.Import.Lookup;

/// <summary>Where a row of a lookup table lies.</summary>
[StructLayout(LayoutKind.Auto)]
readonly record struct LookupRow(int Start, int Length, long Line);

/// <summary>
/// A lookup table as CSV (RFC 4180), looked through once: where its rows are, and which of them break a rule. Rows are counted
/// without the header and without empty lines. Nothing is changed.
/// </summary>
sealed class LookupTable
{
    static readonly Rejection InvalidCsv = new("invalid_csv", null, "a quote is out of place");
    static readonly Rejection InvalidUtf8 = new("invalid_utf8", null, "the row is not valid UTF-8");
    static readonly Rejection WrongNumberOfFields = new("wrong_number_of_fields", null, "the row has another number of fields than the header");
    static readonly Rejection KeyMissing = new("primary_key_missing", null, "the first field is the row's key, and must not be blank");
    static readonly Rejection KeyTwice = new("primary_key_twice", null, "an earlier row has the same key");

    readonly HashSet<UInt128> _keys = [];
    readonly HashSet<string> _names = new(StringComparer.Ordinal);

    /// <summary>The rows below the header, in order.</summary>
    public List<LookupRow> Rows { get; } = [];

    /// <summary>The rows that break a rule, by their index.</summary>
    public List<(int Index, Rejection Rejection)> Rejected { get; } = [];

    /// <summary>Whether the first row names the columns, each by a name of its own.</summary>
    public bool HasHeader { get; private set; }

    /// <summary>Empty lines.</summary>
    public long Blank { get; private set; }

    /// <summary>All lines.</summary>
    public long Lines { get; private set; }

    /// <summary>Whether the file ends within quotes.</summary>
    public bool IsCut { get; private set; }

    public static LookupTable Read(ReadOnlySpan<byte> csv)
    {
        var table = new LookupTable();
        table.ReadRows(csv);
        return table;
    }

    void ReadRows(ReadOnlySpan<byte> csv)
    {
        var columns = 0;
        var at = 0;
        while (at < csv.Length)
        {
            var (start, line) = (at, Lines + 1);
            if (IsLineEnd(csv, at, out var lineEnd))
            {
                at += lineEnd;
                Lines++;
                Blank++;
                continue;
            }

            var (fields, isValid) = ReadRow(csv, ref at, columns == 0, out var key);
            var row = new LookupRow(start, at - start, line);
            if (IsLineEnd(csv, at, out lineEnd)) at += lineEnd;
            Lines += csv[start..at].Count((byte)'\n') + (at == csv.Length && csv[^1] != '\n' ? 1 : 0);
            if (columns == 0)
            {
                columns = fields;
                HasHeader = isValid && _names.Count == fields && Utf8.IsValid(Of(csv, row));
                continue;
            }

            if (!isValid) Rejected.Add((Rows.Count, InvalidCsv));
            else if (!Utf8.IsValid(Of(csv, row))) Rejected.Add((Rows.Count, InvalidUtf8));
            else if (fields != columns) Rejected.Add((Rows.Count, WrongNumberOfFields));
            else if (key.IndexOfAnyExcept(" \t\r\n"u8) < 0) Rejected.Add((Rows.Count, KeyMissing));
            else if (!_keys.Add(XxHash128.HashToUInt128(key))) Rejected.Add((Rows.Count, KeyTwice));
            Rows.Add(row);
        }
    }

    /// <summary>Reads to the end of a row; of an invalid one, to the end of its line.</summary>
    (int Fields, bool IsValid) ReadRow(ReadOnlySpan<byte> csv, ref int at, bool isHeader, out ReadOnlySpan<byte> key)
    {
        key = default;
        for (var fields = 1; ; fields++)
        {
            if (!TryReadField(csv, ref at, out var field))
            {
                while (at < csv.Length && !IsLineEnd(csv, at, out _)) at++;
                return (fields, false);
            }

            if (fields == 1) key = field;
            if (isHeader) _names.Add(Encoding.UTF8.GetString(field));
            if (at == csv.Length || csv[at] != ',') return (fields, true);
            at++;
        }
    }

    bool TryReadField(ReadOnlySpan<byte> csv, ref int at, out ReadOnlySpan<byte> field)
    {
        var start = at;
        if (at == csv.Length || csv[at] != '"')
        {
            while (at < csv.Length && csv[at] != ',' && !IsLineEnd(csv, at, out _)) at++;
            field = csv[start..at];
            if (!field.Contains((byte)'"')) return true;
            at = start;
            return false;
        }

        var escaped = false;
        for (at++; at < csv.Length; at++)
        {
            if (csv[at] != '"') continue;
            if (at + 1 < csv.Length && csv[at + 1] == '"')
            {
                at++;
                escaped = true;
                continue;
            }

            field = csv[(start + 1)..at];
            if (escaped) field = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(field).Replace("\"\"", "\"", StringComparison.Ordinal));
            at++;
            if (at == csv.Length || csv[at] == ',' || IsLineEnd(csv, at, out _)) return true;
            at = start;
            return false;
        }

        IsCut = true;
        field = default;
        return false;
    }

    static ReadOnlySpan<byte> Of(ReadOnlySpan<byte> csv, LookupRow row) => csv.Slice(row.Start, row.Length);

    static bool IsLineEnd(ReadOnlySpan<byte> csv, int at, out int length)
    {
        length = csv[at..] switch
        {
            [(byte)'\n', ..] => 1,
            [(byte)'\r', (byte)'\n', ..] => 2,
            _ => 0,
        };
        return length > 0;
    }
}
