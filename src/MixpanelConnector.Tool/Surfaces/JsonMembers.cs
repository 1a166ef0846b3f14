using System.Buffers;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace MixpanelConnector.Tool.Surfaces;

/// <summary>Members put into a JSON object or taken out of it. All else stays as it is written: also what is wrong with it, for the check of the input to name.</summary>
static class JsonMembers
{
    /// <summary>The value of a member; null when there is none.</summary>
    /// <exception cref="MixpanelException">There are several.</exception>
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

    /// <summary>The object without the members of a name.</summary>
    public static JsonElement Without(JsonElement whole, string name) => Written(whole, other => other == name, []);

    /// <summary>The object with members in place of its own of the same names.</summary>
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

    /// <summary>Null when it is not valid Unicode.</summary>
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
