using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace MixpanelConnector.Tool.Surfaces.Cli;

/// <summary>Parses the text of an option as the JSON value of an input.</summary>
static class JsonArgument
{
    /// <param name="name">The input.</param>
    /// <param name="text">The text on the command line.</param>
    /// <param name="type">The type of the input in its schema; null if it allows several.</param>
    /// <param name="host">The environment of the program, for files and standard input.</param>
    public static JsonElement Read(string name, string text, string? type, HostEnvironment host) => type switch
    {
        "string" => JsonSerializer.SerializeToElement(text, CliJson.Default.String),
        "integer" => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            ? JsonSerializer.SerializeToElement(number, CliJson.Default.Int64)
            : Number(text) ?? throw Configuration.Invalid(name, $"{name}: must be an integer."),
        "boolean" => bool.TryParse(text, out var flag)
            ? JsonSerializer.SerializeToElement(flag, CliJson.Default.Boolean)
            : throw Configuration.Invalid(name, $"{name}: must be true or false."),
        _ => Parse(name, text, host),
    };

    public static JsonElement ReadObject(string name, string text, HostEnvironment host) =>
        Parse(name, text, host) is { ValueKind: JsonValueKind.Object } whole ? whole : throw Configuration.Invalid(name, $"--{name} must be a JSON object.");

    /// <summary>
    /// A number in another JSON notation, such as 7.0. Whether it is an integer is decided by the validation of the input. Null if it is not a number.
    /// </summary>
    static JsonElement? Number(string text)
    {
        try
        {
            return JsonElement.Parse(text) is { ValueKind: JsonValueKind.Number } number ? number : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    static JsonElement Parse(string name, string text, HostEnvironment host)
    {
        try
        {
            if (text is "-" or "@-") return JsonElement.Parse(WithoutByteOrderMark(GivenFile.Read(host.TakeInput(name), host.Stopping)));
            return text.StartsWith('@') ? JsonElement.Parse(WithoutByteOrderMark(GivenFile.Read(text[1..], host.Stopping))) : JsonElement.Parse(text);
        }
        catch (JsonException e)
        {
            var where = e.LineNumber is { } line ? string.Create(CultureInfo.InvariantCulture, $" (line {line + 1}, byte {e.BytePositionInLine + 1})") : "";
            throw Configuration.Invalid(name, $"{name}: is not valid JSON{where}. Specify JSON, @file for a file that contains it, or @- for standard input.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw Configuration.Invalid(name, $"{name}: the file {text.TrimStart('@')} cannot be read: {e.Message}");
        }
    }

    static ReadOnlySpan<byte> WithoutByteOrderMark(byte[] bytes) => bytes.AsSpan().StartsWith("\uFEFF"u8) ? bytes.AsSpan(3) : bytes;
}

[JsonSerializable(typeof(JsonObject))]
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(long))]
[JsonSerializable(typeof(bool))]
sealed partial class CliJson : JsonSerializerContext;
