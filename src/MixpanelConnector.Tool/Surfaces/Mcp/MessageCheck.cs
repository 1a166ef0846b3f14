using System.Buffers;
using System.Text.Json;
using ModelContextProtocol.Protocol;

namespace MixpanelConnector.Tool.Surfaces.Mcp;

/// <summary>
/// Checks a message before the protocol parses it: the protocol silently keeps the last of several values of one name, and ignores unpaired surrogates.
/// </summary>
static class MessageCheck
{
    public const int InvalidRequest = -32600, InvalidParams = -32602;

    /// <summary>The error for parameters that the protocol cannot read.</summary>
    public const string WrongForm = "params do not have the form that the protocol defines for this method.";

    /// <summary>The error in a message, with its JSON-RPC code; null if there is none. Invalid JSON is left to the protocol.</summary>
    public static (int Code, string Message)? Fault(ReadOnlySpan<byte> message) =>
        FaultOfTexts(message) is { } fault ? (InvalidRequest, fault) : FaultOfParams(message) is { } wrong ? (InvalidParams, wrong) : null;

    /// <summary>
    /// The error in the parameters of a request that the protocol would report without its place, or as an error of its own. A notification gets no answer.
    /// </summary>
    static string? FaultOfParams(ReadOnlySpan<byte> message)
    {
        string? required = null;
        var (isRequest, isNamed) = (false, false);
        JsonTokenType parameters = default, name = default, arguments = default;
        var reader = new Utf8JsonReader(message);
        try
        {
            if (!reader.Read() || reader.TokenType is not JsonTokenType.StartObject) return null;
            while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
            {
                var (isMethod, isParameters) = (reader.ValueTextEquals("method"u8), reader.ValueTextEquals("params"u8));
                isRequest |= reader.ValueTextEquals("id"u8);
                isNamed |= isMethod;
                reader.Read();
                if (isMethod && reader.TokenType is JsonTokenType.String) required = reader.GetString() switch { "tools/call" or "prompts/get" => "name", "resources/read" => "uri", _ => null };
                if (isParameters) parameters = reader.TokenType;
                if (!isParameters || parameters is not JsonTokenType.StartObject)
                {
                    reader.Skip();
                    continue;
                }

                while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
                {
                    var (isName, isArguments) = (reader.ValueTextEquals("name"u8) || reader.ValueTextEquals("uri"u8), reader.ValueTextEquals("arguments"u8));
                    reader.Read();
                    if (isName) name = reader.TokenType;
                    if (isArguments) arguments = reader.TokenType;
                    reader.Skip();
                }
            }
        }
        catch (JsonException)
        {
            return null; // reported by the protocol
        }

        if (required is null) return isRequest && isNamed && parameters is not (JsonTokenType.None or JsonTokenType.Null or JsonTokenType.StartObject) ? "params must be an object." : null;
        if (parameters is not JsonTokenType.StartObject) return $"params must be an object with a text {required}.";
        if (name is not JsonTokenType.String) return $"params.{required} must be a text.";
        return required == "name" && arguments is not (JsonTokenType.None or JsonTokenType.Null or JsonTokenType.StartObject) ? "params.arguments must be an object." : null;
    }

    /// <summary>The error in the names and strings of a message, with its location.</summary>
    static string? FaultOfTexts(ReadOnlySpan<byte> message)
    {
        var reader = new Utf8JsonReader(message);
        var open = new List<Level>();
        try
        {
            while (reader.Read())
            {
                switch (reader.TokenType)
                {
                    case JsonTokenType.StartObject or JsonTokenType.StartArray:
                        if (open.Count > 0) open[^1].Index++;
                        open.Add(new Level(isArray: reader.TokenType is JsonTokenType.StartArray));
                        break;
                    case JsonTokenType.EndObject or JsonTokenType.EndArray:
                        open.RemoveAt(open.Count - 1);
                        break;
                    case JsonTokenType.PropertyName:
                        if (TextOf(ref reader) is not { } name) return $"{Path(open[..^1], "The message")} has a name that is not valid Unicode: a character is cut in half. Nothing was done.";
                        open[^1].Name = name;
                        if (!open[^1].Names!.Add(name)) return $"{Path(open, "The message")} is given twice. Nothing was done: specify it once.";
                        break;
                    default:
                        if (open.Count > 0) open[^1].Index++;
                        if (reader.TokenType is JsonTokenType.String && TextOf(ref reader) is null) return $"{Path(open, "The message")} is not valid Unicode: a character is cut in half. Nothing was done.";
                        break;
                }
            }
        }
        catch (JsonException)
        {
            // Reported by the protocol.
        }

        return null;
    }

    /// <summary>An error with the id of the message that it answers, or without one if the id is unknown.</summary>
    public static ReadOnlyMemory<byte> ErrorFor(ReadOnlySpan<byte> head, int code, string message)
    {
        var id = IdIn(head);
        var buffer = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(buffer);
        json.WriteStartObject();
        json.WriteString("jsonrpc", "2.0");
        if (id?.Id is long number) json.WriteNumber("id", number);
        else if (id?.Id is string text) json.WriteString("id", text);
        else json.WriteNull("id");
        json.WriteStartObject("error");
        json.WriteNumber("code", code);
        json.WriteString("message", message);
        json.WriteEndObject();
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenMemory;
    }

    /// <summary>The id of a message, if it is present and can be parsed.</summary>
    static RequestId? IdIn(ReadOnlySpan<byte> head)
    {
        try
        {
            var reader = new Utf8JsonReader(head, isFinalBlock: false, state: default);
            if (!reader.Read() || reader.TokenType is not JsonTokenType.StartObject) return null;
            while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
            {
                var isId = reader.ValueTextEquals("id"u8);
                if (!reader.Read()) return null;
                if (isId) return reader.TokenType is JsonTokenType.String ? new RequestId(reader.GetString()!) : reader.TokenType is JsonTokenType.Number && reader.TryGetInt64(out var number) ? new RequestId(number) : null;
                if (!reader.TrySkip()) return null;
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // Whatever it is, it has no id.
        }

        return null;
    }

    /// <summary>The text of a name or a string; null if it is not valid Unicode.</summary>
    static string? TextOf(ref Utf8JsonReader reader)
    {
        if (reader.TokenType is JsonTokenType.String && !reader.ValueIsEscaped && System.Text.Unicode.Utf8.IsValid(reader.ValueSpan)) return "";
        try
        {
            return reader.GetString();
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>The path of a value, such as <c>params.arguments.updates[0].a</c>; names are external text.</summary>
    static string Path(List<Level> open, string whole)
    {
        var path = string.Concat(open.Select((level, depth) => level.Names is null ? FormattableString.Invariant($"[{level.Index}]") : depth == 0 ? level.Name : $".{level.Name}"));
        return path.Length == 0 ? whole : ResponseSanitizer.Text(path);
    }

    /// <summary>An object or array that contains the current position of the reader.</summary>
    sealed class Level(bool isArray)
    {
        public HashSet<string>? Names { get; } = isArray ? null : new(StringComparer.Ordinal);

        public string Name { get; set; } = "";

        public int Index { get; set; } = -1;
    }
}
