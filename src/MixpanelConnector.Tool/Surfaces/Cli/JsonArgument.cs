using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace MixpanelConnector.Tool.Surfaces.Cli;

/// <summary>Reads the text of an option as the JSON that an input needs.</summary>
static class JsonArgument
{
    static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    /// <param name="name">The input.</param>
    /// <param name="text">What the command line says.</param>
    /// <param name="type">The type of the input in its schema; null when it takes several.</param>
    /// <param name="surroundings">For files and standard input.</param>
    public static JsonNode? Read(string name, string text, string? type, Surroundings surroundings) => type switch
    {
        "string" => JsonValue.Create(text),
        "integer" => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            ? JsonValue.Create(number)
            : throw Configuration.Invalid(name, $"{name}: must be an integer."),
        "boolean" => bool.TryParse(text, out var flag) ? JsonValue.Create(flag) : throw Configuration.Invalid(name, $"{name}: must be true or false."),
        _ => Parse(name, text, surroundings),
    };

    public static JsonObject ReadObject(string name, string text, Surroundings surroundings) =>
        Parse(name, text, surroundings) as JsonObject ?? throw Configuration.Invalid(name, $"--{name} must be a JSON object.");

    static JsonNode? Parse(string name, string text, Surroundings surroundings)
    {
        try
        {
            if (text is "-" or "@-") return JsonNode.Parse(WithoutByteOrderMark(GivenFile.Read(surroundings.TakeInput(name), surroundings.Stopping)), documentOptions: Strict);
            return text.StartsWith('@') ? JsonNode.Parse(WithoutByteOrderMark(GivenFile.Read(text[1..], surroundings.Stopping)), documentOptions: Strict) : JsonNode.Parse(text, documentOptions: Strict);
        }
        catch (JsonException e)
        {
            var where = e.LineNumber is { } line ? string.Create(CultureInfo.InvariantCulture, $" (line {line + 1}, byte {e.BytePositionInLine + 1})") : "";
            throw Configuration.Invalid(name, $"{name}: is not valid JSON{where}. Give JSON, @file for a file that holds it, or @- for standard input.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw Configuration.Invalid(name, $"{name}: the file {text.TrimStart('@')} cannot be read: {e.Message}");
        }
    }

    static ReadOnlySpan<byte> WithoutByteOrderMark(byte[] bytes) => bytes.AsSpan().StartsWith("\uFEFF"u8) ? bytes.AsSpan(3) : bytes;
}

[JsonSerializable(typeof(JsonObject))]
sealed partial class CliJson : JsonSerializerContext;
