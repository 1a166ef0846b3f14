using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace MixpanelConnector.Import.Map;

/// <summary>
/// JSON that is the same for the same information, whichever format it comes from: members in the order of their names, without those that are null
/// or empty objects; text with the fewest escapes; integers as text, as BigQuery exports them to JSON; other numbers in their shortest form.
/// </summary>
static class CanonicalJson
{
    const double LargestExact = 1L << 53;

    public static byte[] Of(RecordView record, int value)
    {
        var tree = record.Tree;
        var text = tree[value].Json;
        switch (tree[value].Type)
        {
            case JsonTokenType.StartObject:
                var members = new List<(byte[] Name, byte[] Json)>();
                for (var at = tree.FirstOf(value); at >= 0; at = tree.After(at, value))
                    if (Of(record, at) is { Length: > 0 } json && !json.AsSpan().SequenceEqual("{}"u8))
                        members.Add((Quoted(record.TextOf(Found.NameOf(in tree[at]))), json));
                members.Sort((one, other) => one.Name.AsSpan().SequenceCompareTo(other.Name));
                return Joined('{', members.Select(member => (byte[])[.. member.Name, (byte)':', .. member.Json]), '}');
            case JsonTokenType.StartArray:
                var elements = new List<byte[]>();
                for (var at = tree.FirstOf(value); at >= 0; at = tree.After(at, value))
                    elements.Add(Of(record, at) is { Length: > 0 } json ? json : "null"u8.ToArray());
                return Joined('[', elements, ']');
            case JsonTokenType.Null:
                return [];
            case JsonTokenType.String:
                return Quoted(record.TextOf(Found.Of(in tree[value], value)));
            case JsonTokenType.Number when text.IndexOfAny(".eE"u8) < 0:
                return Quoted(text);
            case JsonTokenType.Number:
                var number = double.Parse(text, CultureInfo.InvariantCulture);
                var shortest = Encoding.ASCII.GetBytes(number.ToString(double.IsInteger(number) && Math.Abs(number) < LargestExact ? "F0" : "R",
                    CultureInfo.InvariantCulture));
                return double.IsInteger(number) ? Quoted(shortest) : shortest;
            default:
                return text.ToArray();
        }
    }

    static byte[] Quoted(ReadOnlySpan<byte> text) =>
        [(byte)'"', .. JsonValues.IsPlain(text) ? text : JsonEncodedText.Encode(text, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).EncodedUtf8Bytes, (byte)'"'];

    static byte[] Joined(char open, IEnumerable<byte[]> parts, char close)
    {
        var json = new ArrayBufferWriter<byte>();
        json.Write([(byte)open]);
        foreach (var part in parts)
        {
            if (json.WrittenCount > 1) json.Write(","u8);
            json.Write(part);
        }

        json.Write([(byte)close]);
        return json.WrittenSpan.ToArray();
    }
}
