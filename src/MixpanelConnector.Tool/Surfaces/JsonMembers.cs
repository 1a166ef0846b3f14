using System.Buffers;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace MixpanelConnector.Tool.Surfaces;

/// <summary>
/// Adds or removes members of a JSON object. Everything else is preserved as written, including errors, which the validation of the input reports.
/// </summary>
static class JsonMembers
{
    /// <summary>The value of a member; null if there is none.</summary>
    /// <exception cref="MixpanelException">The member occurs several times.</exception>
    public static JsonElement? Find(JsonElement whole, string name)
    {
        JsonElement? found = null;
        foreach (var member in whole.EnumerateObject())
        {
            if (NameOf(member) != name) continue;
            found = found is null ? member.Value : throw Configuration.Invalid(name, $"{name}: is given twice.");
        }

        return found;
    }

    /// <summary>The object without the members of a certain name.</summary>
    public static JsonElement Without(JsonElement whole, string name) => Written(whole, other => other == name, []);

    /// <summary>The object with members added, replacing members of the same names.</summary>
    public static JsonElement With(JsonElement whole, IReadOnlyDictionary<string, JsonElement> members) => Written(whole, members.ContainsKey, members);

    static JsonElement Written(JsonElement whole, Func<string, bool> leaveOut, IEnumerable<KeyValuePair<string, JsonElement>> more)
    {
        var text = new ArrayBufferWriter<byte>();
        text.Write("{"u8);
        foreach (var member in whole.EnumerateObject())
        {
            if (NameOf(member) is { } name && leaveOut(name)) continue;
            Write(text, JsonMarshal.GetRawUtf8PropertyName(member), member.Value);
        }

        foreach (var (name, value) in more) Write(text, JsonEncodedText.Encode(name).EncodedUtf8Bytes, value);
        text.Write("}"u8);
        var reader = new Utf8JsonReader(text.WrittenSpan);
        return JsonElement.ParseValue(ref reader);
    }

    static void Write(ArrayBufferWriter<byte> text, ReadOnlySpan<byte> name, JsonElement value)
    {
        if (text.WrittenCount > 1) text.Write(","u8);
        text.Write("\""u8);
        text.Write(name);
        text.Write("\":"u8);
        text.Write(JsonMarshal.GetRawUtf8Value(value));
    }

    /// <summary>Null if it is not valid Unicode.</summary>
    static string? NameOf(JsonProperty member)
    {
        try
        {
            return member.Name;
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }
}
