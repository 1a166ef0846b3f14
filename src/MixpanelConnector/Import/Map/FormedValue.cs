using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace MixpanelConnector.Import.Map;

/// <summary>The form that a value is converted to.</summary>
enum MappedForm
{
    Text,
    Number,
    Boolean,
    Json,
    List,
    Sorted,
    Single,
    Upper,
    Lower,
    Host,
    Date,
    Country,
    UnknownCountry,
    AdobeEvents,
    AdobeEventsButPurchase,
    AdobeProducts,
    AdobeValues,
    Ga4Items,
}

/// <summary>
/// A value converted to another form. Left unchanged when it cannot be converted, except for countries, dates and hosts, which are then absent.
/// </summary>
sealed class FormedValue(MappingValue value, MappedForm form, TimeUnit unit) : MappingValue
{
    public override bool IsCopied =>
        value.IsCopied
            && form is (MappedForm.Text or MappedForm.Number or MappedForm.Boolean or MappedForm.Json or MappedForm.List or MappedForm.Single
                or MappedForm.Sorted or MappedForm.Ga4Items);

    public override Found Read(RecordView record, in Scope scope)
    {
        var taken = record.Tree.Takes;
        var found = value.Read(record, in scope);
        if (!found.IsThere) return found;
        switch (form)
        {
            case MappedForm.Text:
                record.Tree.Take(found.Node);
                return found.IsText ? found : found.IsContainer ? record.MadeText(found.Raw) : found with { Type = JsonTokenType.String, Node = JsonTree.None };
            case MappedForm.Number:
                return found.IsText && JsonValues.IsNumber(found.Raw) ? found with { Type = JsonTokenType.Number, Node = JsonTree.None } : found;
            case MappedForm.Boolean:
                return found.IsContainer ? found : BooleanOf(record, in found);
            case MappedForm.Json:
                if (!found.IsText || record.Tree.ContainerOf(found.Node, isNeeded: false) is not (var inner and >= 0)) return found;
                record.Tree.Open(found.Node, inner);
                return Found.Of(in record.Tree[inner], inner);
            case MappedForm.List:
                if (found is { IsText: true, Length: 0 }) return Found.Nothing;
                record.Tree.Take(found.Node);
                return found.Type is JsonTokenType.StartArray
                    ? found
                    : record.Made(JsonTokenType.StartArray,
                        found.IsText ? [(byte)'[', (byte)'"', .. found.Raw, (byte)'"', (byte)']'] : [(byte)'[', .. found.Raw, (byte)']']);
            case MappedForm.Single:
                record.Tree.Take(found.Node);
                return found is { Type: JsonTokenType.StartArray, Node: >= 0 } && record.Tree.FirstOf(found.Node) is var first and >= 0
                    && record.Tree.After(first, found.Node) < 0
                    ? Found.Of(in record.Tree[first], first)
                    : found;
            case MappedForm.Sorted:
                record.Tree.Take(found.Node);
                if (record.Tree.ContainerOf(found.Node, isNeeded: false) is not (var list and >= 0) || record.Tree[list].Type is not JsonTokenType.StartArray)
                    return found;
                record.Tree.Open(found.Node, list);
                return Sorted(record, list);
            case MappedForm.Ga4Items:
                record.Tree.Take(found.Node);
                return found.IsContainer && found.Node >= 0 ? Ga4Items(record, in found) : found;
            default:
                if (IsLostIn(record, in found)) return Found.Nothing;
                var made = OfText(record, record.TextOf(in found), in found);
                return !made.IsThere && form is MappedForm.Date or MappedForm.Country or MappedForm.Host ? Failed(record, in found, taken) : made;
        }
    }

    /// <summary>The elements of a list in byte order, so that the result depends neither on their original order nor on how they are written.</summary>
    static Found Sorted(RecordView record, int list)
    {
        var elements = new List<byte[]>();
        for (var at = record.Tree.FirstOf(list); at >= 0; at = record.Tree.After(at, list)) elements.Add(CanonicalJson.Of(record, at));
        elements.Sort((one, other) => one.AsSpan().SequenceCompareTo(other));
        return record.Made(JsonTokenType.StartArray,
            [(byte)'[', .. elements.SelectMany((element, i) => i == 0 ? element : [(byte)',', .. element]), (byte)']']);
    }

    /// <summary>
    /// The items of a purchase, whose integers BigQuery exports as numbers or, to JSON, as text: always as numbers. Members that are not set are omitted.
    /// </summary>
    static Found Ga4Items(RecordView record, in Found items)
    {
        var text = new ArrayBufferWriter<byte>();
        WriteGa4(record.Tree, items.Node, text);
        return record.Made(items.Type, text.WrittenSpan);
    }

    static void WriteGa4(JsonTree tree, int value, ArrayBufferWriter<byte> text)
    {
        ref readonly var node = ref tree[value];
        switch (node.Type)
        {
            case JsonTokenType.StartObject or JsonTokenType.StartArray:
                var (isObject, isFirst) = (node.Type is JsonTokenType.StartObject, true);
                text.Write(isObject ? "{"u8 : "["u8);
                for (var at = tree.FirstOf(value); at >= 0; at = tree.After(at, value))
                {
                    if (isObject && tree[at].Json is [(byte)'"', .. var content, (byte)'"']
                        && (content.SequenceEqual("(not set)"u8) || content.SequenceEqual("(direct)"u8) || content.SequenceEqual("(none)"u8)))
                        continue;
                    if (!isFirst) text.Write(","u8);
                    isFirst = false;
                    if (isObject) text.Write([(byte)'"', .. tree[at].RawName, (byte)'"', (byte)':']);
                    WriteGa4(tree, at, text);
                }

                text.Write(isObject ? "}"u8 : "]"u8);
                break;
            case JsonTokenType.String when (node.RawName.SequenceEqual("quantity"u8) || node.RawName.SequenceEqual("int_value"u8))
                && JsonValues.IsNumber(node.Json[1..^1]) && !JsonValues.IsInexact(node.Json[1..^1]):
                text.Write(node.Json[1..^1]);
                break;
            case JsonTokenType.Number when JsonValues.IsInexact(node.Json):
                text.Write([(byte)'"', .. node.Json, (byte)'"']);
                break;
            default:
                text.Write(node.Json);
                break;
        }
    }

    static Found BooleanOf(RecordView record, in Found found)
    {
        var text = record.TextOf(in found);
        if (text.SequenceEqual("1"u8) || Ascii.EqualsIgnoreCase(text, "true"u8) || Ascii.EqualsIgnoreCase(text, "yes"u8))
            return record.Made(JsonTokenType.True, "true"u8);
        return text.SequenceEqual("0"u8) || Ascii.EqualsIgnoreCase(text, "false"u8) || Ascii.EqualsIgnoreCase(text, "no"u8)
            ? record.Made(JsonTokenType.False, "false"u8)
            : found;
    }

    Found OfText(RecordView record, ReadOnlySpan<byte> text, in Found found)
    {
        switch (form)
        {
            case MappedForm.Upper:
                return record.MadeText(Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(text).ToUpperInvariant()));
            case MappedForm.Lower:
                return record.MadeText(Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(text).ToLowerInvariant()));
            case MappedForm.Host:
                var start = text.IndexOf("://"u8);
                if (start < 0) return Found.Nothing;
                var host = text[(start + 3)..];
                if (host.IndexOfAny((byte)'/', (byte)'?', (byte)'#') is var end and >= 0) host = host[..end];
                return host.IsEmpty ? Found.Nothing : record.MadeText(host);
            case MappedForm.Date:
                return MappedTime.TryRead(text, unit, out var time) && DateOf(time) is { Length: > 0 } date
                    ? record.Made(JsonTokenType.String, date)
                    : Found.Nothing;
            case MappedForm.Country:
                return Countries.CodeOf(text) is { IsEmpty: false } code ? record.Made(JsonTokenType.String, code) : Found.Nothing;
            case MappedForm.AdobeEvents or MappedForm.AdobeEventsButPurchase:
                return ListOf(record,
                    AdobeLists.Events(Encoding.UTF8.GetString(text),
                        id => record.Lookups.Find("event", id) ?? record.Lookups.Find("event_list", id) ?? record.Lookups.Find("event_lookup", id),
                        purchases: form is MappedForm.AdobeEvents));
            case MappedForm.AdobeProducts:
                return ListOf(record, AdobeLists.Products(Encoding.UTF8.GetString(text)));
            case MappedForm.AdobeValues:
                return ListOf(record, AdobeLists.Values(Encoding.UTF8.GetString(text)));
            default:
                return Countries.CodeOf(text).IsEmpty ? found : Found.Nothing;
        }
    }

    static Found ListOf(RecordView record, byte[] list) => list.Length == 0 ? Found.Nothing : record.Made(JsonTokenType.StartArray, list);

    static byte[] DateOf(long time)
    {
        if (time < DateTimeOffset.MinValue.ToUnixTimeMilliseconds() || time > DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()) return [];
        return Encoding.ASCII.GetBytes(DateTimeOffset.FromUnixTimeMilliseconds(time).ToString("yyyy-MM-dd'T'HH:mm:ss", CultureInfo.InvariantCulture));
    }
}
