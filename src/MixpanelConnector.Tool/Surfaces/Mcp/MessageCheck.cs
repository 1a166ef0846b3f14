using System.Buffers;
using System.Text.Json;
using System.Text.Unicode;
using ModelContextProtocol.Protocol;

namespace MixpanelConnector.Tool.Surfaces.Mcp;

/// <summary>
/// Checks a message before the protocol parses it, with the same result on every transport: the protocol silently keeps the last of several values of one name,
/// ignores unpaired surrogates, and answers a message that is no request differently on each transport.
/// </summary>
static class MessageCheck
{
    public const int ParseError = -32700, InvalidRequest = -32600, InvalidParams = -32602;

    /// <summary>The maximum nesting depth of a message, in which the arguments of a call are three levels deep.</summary>
    public const int Depth = Http.Limits.Depth + 3;

    /// <summary>The only version of the protocol with batches, and the one of a request over HTTP that names none.</summary>
    public const string VersionWithBatches = "2025-03-26";

    /// <summary>The maximum number of messages in a batch.</summary>
    public const int MostInBatch = 50;

    /// <summary>The error for parameters that the protocol cannot read.</summary>
    public const string WrongForm = "params do not have the form that the protocol defines for this method.";

    /// <summary>The error for a message that is not JSON.</summary>
    public const string NotJson = "The message is not valid JSON.";

    /// <summary>The error for a message whose bytes are not text.</summary>
    public const string NotUtf8 = "The message is not valid UTF-8.";

    /// <summary>The error for a message that is JSON, but nothing that JSON-RPC knows.</summary>
    public const string NotAMessage = "The message is not a request, a notification or a response of JSON-RPC 2.0.";

    /// <summary>The error in a message, with its JSON-RPC code; null if there is none.</summary>
    public static (int Code, string Message)? Fault(ReadOnlySpan<byte> message)
    {
        if (FaultOfJson(message) is { } fault) return fault;
        if (FaultOfTexts(message) is { } text) return (InvalidRequest, text);
        var envelope = Envelope.Of(message);
        if (envelope.Fault is { } wrong) return (InvalidRequest, wrong);
        return envelope.FaultOfParams is { } parameters ? (InvalidParams, parameters) : null;
    }

    /// <summary>Whether a message is a batch of messages, as far as its first character tells.</summary>
    public static bool IsBatch(ReadOnlySpan<byte> message) => message.TrimStart(" \t\r\n"u8) is [(byte)'[', ..];

    /// <summary>Splits a batch into its messages, which are not checked yet. Returns the error of the batch as a whole; null if there is none.</summary>
    public static (int Code, string Message)? FaultOfBatch(ReadOnlyMemory<byte> batch, out IReadOnlyList<ReadOnlyMemory<byte>> messages)
    {
        var found = new List<ReadOnlyMemory<byte>>();
        messages = found;
        if (FaultOfJson(batch.Span, Depth + 1) is { } fault) return fault;
        var reader = new Utf8JsonReader(batch.Span);
        reader.Read();
        while (reader.Read() && reader.TokenType is not JsonTokenType.EndArray)
        {
            if (found.Count == MostInBatch)
                return (InvalidRequest,
                    FormattableString.Invariant($"The batch has more than {MostInBatch} messages. Nothing was done: send fewer at a time."));
            var start = (int)reader.TokenStartIndex;
            reader.Skip();
            found.Add(batch[start..(int)reader.BytesConsumed]);
        }

        return found.Count == 0 ? (InvalidRequest, "The batch has no messages.") : null;
    }

    /// <summary>The error for a request with the id of another one that is not answered yet.</summary>
    public const string SameId = "id is that of another request.";

    /// <summary>The error in a message of a batch, with its JSON-RPC code; null if there is none.</summary>
    /// <param name="message">The message.</param>
    /// <param name="ids">The ids of the requests before it in the batch.</param>
    public static (int Code, string Message)? FaultInBatch(ReadOnlySpan<byte> message, HashSet<RequestId> ids)
    {
        if (Fault(message) is { } fault) return fault;
        if (IsError(message)) return null;
        return LineTransport.Read(message) switch
        {
            null => (InvalidRequest, NotAMessage),
            JsonRpcRequest { Method: RequestMethods.Initialize } =>
                (InvalidRequest, "initialize must not be in a batch: other requests are possible only after it."),
            JsonRpcRequest { Id: var id } when !ids.Add(id) => (InvalidRequest, SameId),
            _ => null,
        };
    }

    /// <summary>Whether a message without a fault is a request or a notification with no other members than those that the protocol defines.</summary>
    public static bool IsPlain(ReadOnlySpan<byte> message) => Envelope.Of(message).IsPlain;

    /// <summary>Whether a message without a fault is the other side's answer that a message of ours had an error. It is not answered.</summary>
    public static bool IsError(ReadOnlySpan<byte> message) => Envelope.Of(message).IsError;

    /// <summary>The error of a message that is not JSON in UTF-8, or nested too deeply.</summary>
    public static (int Code, string Message)? FaultOfJson(ReadOnlySpan<byte> message, int depth = Depth)
    {
        if (!Utf8.IsValid(message)) return (ParseError, NotUtf8);
        var reader = new Utf8JsonReader(message, new JsonReaderOptions { MaxDepth = int.MaxValue });
        var isTooDeep = false;
        try
        {
            while (reader.Read()) isTooDeep |= reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray && reader.CurrentDepth >= depth;
        }
        catch (JsonException)
        {
            return (ParseError, NotJson);
        }

        return isTooDeep ? (InvalidRequest, FormattableString.Invariant($"The message is nested deeper than {depth}.")) : null;
    }

    /// <summary>The members of a message, which is valid JSON, that JSON-RPC defines, and those of its parameters that are checked.</summary>
    ref struct Envelope
    {
        bool _isObject, _isArray, _hasId, _hasResult, _hasError, _hasOthers;
        string? _version, _method, _fault;
        JsonTokenType _methodType, _parameters, _required, _arguments;

        /// <summary>Why the message is none of JSON-RPC; null if it is one.</summary>
        public readonly string? Fault => this switch
        {
            { _isArray: true } => $"There are no batches here, since only version {VersionWithBatches} of the protocol has them: send one message at a time.",
            { _isObject: false } or { _version: not "2.0" } => NotAMessage,
            { IsError: true } => null,
            { _fault: { } fault } => fault,
            { _methodType: JsonTokenType.String } => null,
            { _methodType: not JsonTokenType.None } => "method must be a text.",
            _ => _hasResult && _hasId ? null : NotAMessage,
        };

        /// <summary>An error of a message whose id the other side could not read has the id null, or none.</summary>
        public readonly bool IsError => _hasError && _methodType is JsonTokenType.None;

        public readonly bool IsPlain => _method is not null && !_hasOthers && !_hasResult && !_hasError;

        /// <summary>The error in the parameters of a request, with its place; null if there is none. A notification gets no answer.</summary>
        public readonly string? FaultOfParams
        {
            get
            {
                if (!_hasId || _method is null) return null;
                if (Required(_method) is not { } required)
                    return _parameters is JsonTokenType.None or JsonTokenType.Null or JsonTokenType.StartObject ? null : "params must be an object.";
                if (_parameters is not JsonTokenType.StartObject) return $"params must be an object with a text {required}.";
                if (_required is not JsonTokenType.String) return $"params.{required} must be a text.";
                return required == "name" && _arguments is not (JsonTokenType.None or JsonTokenType.Null or JsonTokenType.StartObject)
                    ? "params.arguments must be an object."
                    : null;
            }
        }

        public static Envelope Of(ReadOnlySpan<byte> message)
        {
            var envelope = new Envelope();
            var reader = new Utf8JsonReader(message);
            reader.Read();
            (envelope._isObject, envelope._isArray) = (reader.TokenType is JsonTokenType.StartObject, reader.TokenType is JsonTokenType.StartArray);
            if (!envelope._isObject) return envelope;
            var parameters = default(Utf8JsonReader); // a copy at their start: the method may come after them
            while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
            {
                if (reader.ValueTextEquals("jsonrpc"u8)) envelope._version = TextAfter(ref reader);
                else if (reader.ValueTextEquals("id"u8)) envelope.ReadId(ref reader);
                else if (reader.ValueTextEquals("method"u8)) (envelope._method, envelope._methodType) = (TextAfter(ref reader), reader.TokenType);
                else if (reader.ValueTextEquals("result"u8)) envelope._hasResult |= Next(ref reader) is not JsonTokenType.None;
                else if (reader.ValueTextEquals("error"u8)) envelope._hasError |= Next(ref reader) is JsonTokenType.StartObject;
                else if (!reader.ValueTextEquals("params"u8)) envelope._hasOthers |= reader.Read();
                else if ((envelope._parameters = Next(ref reader)) is JsonTokenType.StartObject) parameters = reader;
                reader.Skip();
            }

            if (envelope._parameters is JsonTokenType.StartObject) envelope.ReadParams(parameters);
            return envelope;
        }

        /// <summary>The text that a request of a method must have among its parameters; null for none.</summary>
        static string? Required(string method) => method switch
        {
            "initialize" => "protocolVersion",
            "tools/call" or "prompts/get" => "name",
            "resources/read" or "resources/subscribe" or "resources/unsubscribe" => "uri",
            "logging/setLevel" => "level",
            _ => null,
        };

        void ReadId(ref Utf8JsonReader reader)
        {
            reader.Read();
            _hasId = true;
            if (reader.TokenType is JsonTokenType.String || (reader.TokenType is JsonTokenType.Number && reader.TryGetInt64(out _))) return;
            _fault = "id must be a text, or an integer of at most 64 bits.";
        }

        void ReadParams(Utf8JsonReader reader)
        {
            var required = _method is null ? null : Required(_method);
            while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
            {
                if (required is not null && reader.ValueTextEquals(required)) _required = Next(ref reader);
                else if (reader.ValueTextEquals("arguments"u8)) _arguments = Next(ref reader);
                else reader.Read();
                reader.Skip();
            }
        }

        static JsonTokenType Next(ref Utf8JsonReader reader)
        {
            reader.Read();
            return reader.TokenType;
        }

        static string? TextAfter(ref Utf8JsonReader reader)
        {
            reader.Read();
            return reader.TokenType is JsonTokenType.String && TextOf(ref reader) is not null
                ? reader.GetString()
                : null; // an error in the text is reported as such
        }
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
                        if (TextOf(ref reader) is not { } name)
                            return $"{Path(open[..^1], "The message")} has a name that is not valid Unicode: a character is cut in half. Nothing was done.";
                        open[^1].Name = name;
                        if (!open[^1].Names!.Add(name)) return $"{Path(open, "The message")} is given twice. Nothing was done: specify it once.";
                        break;
                    default:
                        if (open.Count > 0) open[^1].Index++;
                        if (reader.TokenType is JsonTokenType.String && TextOf(ref reader) is null)
                            return $"{Path(open, "The message")} is not valid Unicode: a character is cut in half. Nothing was done.";
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

    /// <summary>The answers to a batch as one.</summary>
    public static ReadOnlyMemory<byte> Together(IEnumerable<ReadOnlyMemory<byte>> answers)
    {
        var json = new ArrayBufferWriter<byte>();
        foreach (var answer in answers)
        {
            json.Write(json.WrittenCount == 0 ? "["u8 : ","u8);
            json.Write(answer.Span);
        }

        json.Write("]"u8);
        return json.WrittenMemory;
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
                if (isId)
                    return reader.TokenType is JsonTokenType.String ? new RequestId(reader.GetString()!)
                        : reader.TokenType is JsonTokenType.Number && reader.TryGetInt64(out var number) ? new RequestId(number)
                        : null;
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
        if (reader.TokenType is JsonTokenType.String && !reader.ValueIsEscaped && Utf8.IsValid(reader.ValueSpan)) return "";
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
        var path = string.Concat(open.Select((level, depth) => level.Names is null ? FormattableString.Invariant($"[{level.Index}]")
            : depth == 0 ? GivenName.Shown(level.Name)
            : $".{GivenName.Shown(level.Name)}"));
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
