using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace MixpanelConnector.Import.Map;

/// <summary>
/// The lists in the cells of Adobe's data feeds: commas between values, semicolons between the parts of one, and <c>^</c> to escape
/// either of these.
/// </summary>
static class AdobeLists
{
    /// <summary>The list of event names as JSON, without those that indicate that an eVar was set. Empty for none.</summary>
    /// <param name="list">Ids, each optionally with a value after <c>=</c> and a serial number after <c>:</c>.</param>
    /// <param name="nameOf">Looks up the name of an id; null for none.</param>
    /// <param name="purchases">Whether to include purchases.</param>
    public static byte[] Events(string list, Func<string, string?> nameOf, bool purchases)
    {
        var names = new List<string>();
        foreach (var value in Parts(list, ','))
        {
            var id = value.Split('=', ':')[0].Trim();
            if (id.Length == 0) continue;
            if (!int.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out var number)) names.Add(Unescaped(id)); // a name already
            else if (number is not ((>= 100 and < 200) or (>= 10_000 and < 20_000)) && (purchases || number != 1)) names.Add(nameOf(id) ?? NameOf(number));
        }

        return names.Count == 0 ? [] : Encoding.UTF8.GetBytes($"[{string.Join(',', names.Select(Quoted))}]");
    }

    /// <summary>The list of products as JSON. Empty for none.</summary>
    public static byte[] Products(string list)
    {
        var products = new List<string>();
        foreach (var product in Parts(list, ','))
        {
            var fields = Parts(product, ';').Select(Unescaped).ToList();
            var members = new List<string>();
            Add("category", 0, isNumber: false);
            Add("name", 1, isNumber: false);
            Add("quantity", 2, isNumber: true);
            Add("revenue", 3, isNumber: true);
            if (members.Count > 0) products.Add($"{{{string.Join(',', members)}}}");

            void Add(string name, int at, bool isNumber)
            {
                if (at >= fields.Count || fields[at].Length == 0) return;
                members.Add($"\"{name}\":{(isNumber && JsonValues.IsNumber(Encoding.UTF8.GetBytes(fields[at])) ? fields[at] : Quoted(fields[at]))}");
            }
        }

        return products.Count == 0 ? [] : Encoding.UTF8.GetBytes($"[{string.Join(',', products)}]");
    }

    /// <summary>The values of a list variable as JSON. Empty for none.</summary>
    public static byte[] Values(string list)
    {
        var values = Parts(list, ',').Select(Unescaped).Where(value => value.Length > 0).Select(Quoted).ToList();
        return values.Count == 0 ? [] : Encoding.UTF8.GetBytes($"[{string.Join(',', values)}]");
    }

    static string NameOf(int id) => id switch
    {
        1 => "purchase",
        2 => "prodView",
        10 => "scOpen",
        11 => "scCheckout",
        12 => "scAdd",
        13 => "scRemove",
        14 => "scView",
        >= 200 and < 1200 => string.Create(CultureInfo.InvariantCulture, $"event{id - 199}"),
        _ => string.Create(CultureInfo.InvariantCulture, $"event id {id}"),
    };

    static string Quoted(string text) => $"\"{JsonEncodedText.Encode(text, JavaScriptEncoder.UnsafeRelaxedJsonEscaping)}\"";

    static IEnumerable<string> Parts(string text, char separator)
    {
        var start = 0;
        for (var at = 0; at < text.Length; at++)
        {
            if (text[at] == '^') at++;
            else if (text[at] == separator)
            {
                yield return text[start..at];
                start = at + 1;
            }
        }

        yield return text[start..];
    }

    static string Unescaped(string text)
    {
        var plain = new StringBuilder(text.Length);
        for (var at = 0; at < text.Length; at++)
        {
            if (text[at] == '^' && at + 1 < text.Length) at++;
            plain.Append(text[at]);
        }

        return plain.ToString();
    }
}
