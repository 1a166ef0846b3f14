using System.Text;
using System.Text.Unicode;

namespace MixpanelConnector.Emulator.Rules;

/// <summary>A lookup table as RFC 4180 CSV: a header of unique names, then rows whose first field is their unique key.</summary>
static class LookupCsv
{
    const int MostNamed = 10;

    /// <summary>Returns the rows that violate a rule, at most ten; or the error of the table as a whole.</summary>
    public static (string? Error, List<(int Index, string Message)> Failed, int Rows) Check(ReadOnlySpan<byte> csv)
    {
        List<(int Index, string Message)> failed = [];
        if (!Utf8.IsValid(csv)) return ("body is not valid utf8", failed, 0);
        string[]? header = null;
        var keys = new Dictionary<string, int>(StringComparer.Ordinal);
        var row = 0;
        foreach (var fields in Read(Encoding.UTF8.GetString(csv)))
        {
            if (fields is null) return ("body is not valid CSV: a quote is out of place", failed, row);
            if (header is null)
            {
                header = fields;
                if (header.Distinct(StringComparer.Ordinal).Count() != header.Length) return ("header must have unique names", failed, 0);
                continue;
            }
            var message = fields.Length != header.Length ? "invalid row: wrong number of fields"
                : string.IsNullOrWhiteSpace(fields[0]) ? "primary key is required and cannot be blank"
                : keys.TryAdd(fields[0], row) ? null
                : $"invalid row: row indexes {keys[fields[0]]} and {row} have the same primary key";
            if (message is not null && failed.Count < MostNamed) failed.Add((row, message));
            row++;
        }
        return (header is null ? "body must have a header" : null, failed, row);
    }

    /// <summary>The header and the rows of a valid table.</summary>
    public static IEnumerable<string[]> Rows(string csv) => Read(csv).OfType<string[]>();

    /// <summary>The fields of each non-empty row; null for a row with a misplaced quote, which is the last one returned.</summary>
    static IEnumerable<string[]?> Read(string csv)
    {
        var fields = new List<string>();
        var at = 0;
        while (at < csv.Length)
        {
            if (fields.Count == 0 && csv[at] is '\n' || (fields.Count == 0 && csv.AsSpan(at).StartsWith("\r\n")))
            {
                at += csv[at] == '\n' ? 1 : 2;
                continue;
            }
            var field = ReadField(csv, ref at);
            if (field is null)
            {
                yield return null;
                yield break;
            }
            fields.Add(field);
            if (at < csv.Length && csv[at] == ',')
            {
                at++;
                if (at < csv.Length) continue;
                fields.Add(""); // the table ends with a comma
            }
            else
            {
                if (at < csv.Length && csv[at] == '\r') at++;
                at++;
            }
            yield return [.. fields];
            fields.Clear();
        }
    }

    /// <summary>Reads up to the comma or line end after a field; null if a quote is misplaced.</summary>
    static string? ReadField(string csv, ref int at)
    {
        var start = at;
        if (csv[at] != '"')
        {
            while (at < csv.Length && csv[at] is not (',' or '\n') && !csv.AsSpan(at).StartsWith("\r\n"))
            {
                if (csv[at++] == '"') return null;
            }
            return csv[start..at];
        }
        at++;
        while (at < csv.Length)
        {
            if (csv[at++] != '"') continue;
            if (at < csv.Length && csv[at] == '"')
            {
                at++;
                continue;
            }
            var ends = at == csv.Length || csv[at] is ',' or '\n' || csv.AsSpan(at).StartsWith("\r\n");
            return ends ? csv[(start + 1)..(at - 1)].Replace("\"\"", "\"", StringComparison.Ordinal) : null;
        }
        return null;
    }
}
