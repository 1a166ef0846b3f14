using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace MixpanelConnector.Transport;

/// <summary>The only code that classifies Mixpanel's answers. An answer counts as success only when its JSON is complete and reports success.</summary>
static class ReplyClassifier
{
    /// <summary>The advice for a request that can be repeated.</summary>
    const string TryAgain = " Try again later.";

    const int LongestMessage = 300;

    // The part of a page that is read before it is censored and truncated: large enough that no secret is split within the part that is shown.
    const int MostJudged = 64 << 10;

    /// <summary>Returns the JSON of a successful answer of the Query or App API.</summary>
    /// <exception cref="MixpanelException">The answer is not a success.</exception>
    public static JsonDocument ReadJson(Reply reply, MixpanelOptions options)
    {
        if (reply is not { Failure: null, Status: 200 or 201 }) throw new MixpanelException(ErrorOf(reply, options));
        if (Parse(reply.Body) is not { } document) throw new MixpanelException(Untrusted(reply));

        // Some App API operations report their errors with status 200.
        if (document.RootElement.ValueKind is JsonValueKind.Object
            && document.RootElement.TryGetProperty("status", out var status)
            && status.ValueKind is JsonValueKind.String && status.ValueEquals("error"))
        {
            using (document) throw new MixpanelException(reply.Error(ErrorKind.Rejected, $"Mixpanel refused the request: {Said(reply, options)}"));
        }

        return document;
    }

    /// <summary>Throws unless the answer is a success, of which nothing more is read; it may be empty.</summary>
    /// <exception cref="MixpanelException">The answer is not a success.</exception>
    public static void EnsureDone(Reply reply, MixpanelOptions options)
    {
        if (reply is { Failure: null, Status: 200 or 201 or 202 or 204 } && reply.Body.Span.Trim(" \r\n\t"u8).IsEmpty) return;
        ReadJson(reply, options).Dispose();
    }

    /// <summary>Classifies an answer of <c>/import</c> to a batch of events.</summary>
    public static ImportVerdict ReadImport(Reply reply, int sent, MixpanelOptions options)
    {
        if (ByStatus(reply, options) is { } verdict) return verdict;
        using var document = Parse(reply.Body);
        if (document?.RootElement is not { ValueKind: JsonValueKind.Object } root)
            return reply.Status == 400 ? ImportVerdict.Foreign(ErrorOf(reply, options)) : ImportVerdict.Untrusted(Untrusted(reply));

        var imported = Integer(root, "num_records_imported");
        var word = Text(root, "status");
        var status = word is null ? null : Safe(options, word); // only for display; the classification uses the original word
        if (reply.Status == 200)
        {
            // The JSON form has code and status; the legacy form has only status 1.
            var saysSo = Integer(root, "code") is null or 200 && (word is "OK" or "ok" or "1" || (word is null && Integer(root, "code") == 200));
            if (!saysSo || imported is null) return ImportVerdict.Untrusted(Untrusted(reply));
            var names = NamesFailed(root);
            return imported == sent && !names
                ? ImportVerdict.Accepted(sent, status)
                : ImportVerdict.Miscounted(imported.Value, status,
                    reply.Error(ErrorKind.Protocol,
                        $"Mixpanel reports {imported} of {Counted.Of(sent, "event")} as imported, but lists {(names ? "some" : "none")} as failed."));
        }

        // 400: the records that are not listed were imported, if the counts match.
        var failed = FailedRecords(root, sent, options);
        return failed is { Count: > 0 } && (imported is null || imported == sent - failed.Count)
            ? ImportVerdict.Partial(sent - failed.Count, failed, status, ErrorOf(reply, options))
            : ImportVerdict.Ambiguous(
                ErrorOf(reply, options),
                nothingImported: imported is null ? !root.TryGetProperty("failed_records", out _) : imported == 0 && (failed is not null || GivesReasons(root)),
                refusesWhoIsWho: imported == 0 && NamesIdentityEvents(root));
    }

    /// <summary>Whether an answer that reports success lists failed records, and so contradicts itself.</summary>
    static bool NamesFailed(JsonElement root) =>
        root.TryGetProperty("failed_records", out var list) && list.ValueKind is not JsonValueKind.Null
            && (list.ValueKind is not JsonValueKind.Array || list.GetArrayLength() > 0);

    /// <summary>Whether the refusal of a whole batch lists its reasons as plain texts instead of records.</summary>
    static bool GivesReasons(JsonElement root) =>
        !root.TryGetProperty("failed_records", out var list)
            || (list.ValueKind is JsonValueKind.Array && list.EnumerateArray().All(reason => reason.ValueKind is JsonValueKind.String));

    /// <summary>Whether the refusal of a whole batch has a reason that only some of its events cause.</summary>
    static bool NamesIdentityEvents(JsonElement root) =>
        root.TryGetProperty("failed_records", out var reasons) && reasons.ValueKind is JsonValueKind.Array
        && reasons.EnumerateArray().Any(reason => reason.ValueKind is JsonValueKind.String
            && Plain(reason).Contains("identity events are not allowed", StringComparison.OrdinalIgnoreCase));

    /// <summary>Classifies a verbose answer of <c>/engage</c> or <c>/groups</c> to a batch of updates. Accepted means a JSON status of 1.</summary>
    public static ImportVerdict ReadEngage(Reply reply, int sent, MixpanelOptions options)
    {
        if (ByStatus(reply, options) is { } verdict) return verdict;
        using var document = Parse(reply.Body);
        if (document?.RootElement is not { ValueKind: JsonValueKind.Object } root)
            return reply.Status == 400 ? ImportVerdict.Foreign(ErrorOf(reply, options)) : ImportVerdict.Untrusted(Untrusted(reply));

        // A strict answer may contain the number of accepted updates.
        var good = Integer(root, "num_good_events");
        var status = Text(root, "status");
        if (reply.Status == 200 && status is "1")
        {
            return good is null || good == sent
                ? ImportVerdict.Accepted(sent, status)
                : ImportVerdict.Miscounted(good.Value, status,
                    reply.Error(ErrorKind.Protocol, $"Mixpanel reports {good} of {Counted.Of(sent, "update")} as accepted, but lists none as failed."));
        }

        if (reply.Status == 200 && status is not ("0" or "error")) return ImportVerdict.Untrusted(Untrusted(reply));
        var error = reply.Error(ErrorKind.Rejected, $"Mixpanel refused the update: {Said(reply, options)}");
        return ImportVerdict.Ambiguous(error, nothingImported: good is null or 0);
    }

    /// <summary>Classifies an answer of <c>/track</c> to a batch of events: it accepts the events it can read, and does not list the others.</summary>
    public static ImportVerdict ReadTrack(Reply reply, int sent, MixpanelOptions options)
    {
        if (ByStatus(reply, options) is { } verdict) return verdict;
        return ReadAcknowledgement(reply, options) switch
        {
            null => ImportVerdict.Accepted(sent, "1"),
            { Kind: ErrorKind.Rejected } error => ImportVerdict.Ambiguous(error, nothingImported: true),
            { } error => ImportVerdict.Untrusted(error),
        };
    }

    /// <summary>
    /// Classifies an answer to the rows of a lookup table. The table is accepted as a whole, or not at all: a list of refused rows that cannot be trusted is
    /// ignored.
    /// </summary>
    public static ImportVerdict ReadLookupTable(Reply reply, int rows, MixpanelOptions options)
    {
        if (ByStatus(reply, options) is { } verdict) return verdict;
        using var document = Parse(reply.Body);
        if (document?.RootElement is not { ValueKind: JsonValueKind.Object } root) return ImportVerdict.Untrusted(Untrusted(reply));
        if (reply.Status == 200)
        {
            if (Integer(root, "code") is not (null or 200) || Text(root, "status") is not ("OK" or "ok" or "1") || NamesFailed(root))
                return ImportVerdict.Untrusted(Untrusted(reply));
            return Integer(root, "num_records_imported") is { } imported && imported != rows // Mixpanel itself gives no count
                ? ImportVerdict.Miscounted(imported, null,
                    reply.Error(ErrorKind.Protocol, $"Mixpanel reports {imported} of {Counted.Of(rows, "row")} as imported, but lists none as failed."))
                : ImportVerdict.Accepted(rows, null);
        }

        return ImportVerdict.Partial(0, FailedRecords(root, rows, options, mayRepeat: true) ?? [], null, ErrorOf(reply, options));
    }

    /// <summary>Returns the verdict when the status is sufficient; null for a 200 and a 400, whose JSON decides.</summary>
    static ImportVerdict? ByStatus(Reply reply, MixpanelOptions options) => reply switch
    {
        { Status: 507 } => ImportVerdict.Untrusted(ErrorOf(reply, options)),
        { Failure: not null } or { IsRateLimit: true } or { IsUnavailable: true } => ImportVerdict.Retry(ErrorOf(reply, options)),
        { Status: 413 } => ImportVerdict.TooLarge(ErrorOf(reply, options)),
        { Status: 401 or 402 or 403 or 404 } => ImportVerdict.Unauthorized(ErrorOf(reply, options)),
        { Status: not (200 or 400) } => ImportVerdict.Untrusted(ErrorOf(reply, options)),
        _ => null,
    };

    /// <summary>
    /// Reads an answer of <c>/track</c>, <c>/engage</c> or <c>/groups</c>: success, or the error. Supports the text <c>1</c>/<c>0</c> and verbose JSON.
    /// </summary>
    public static MixpanelError? ReadAcknowledgement(Reply reply, MixpanelOptions options)
    {
        if (reply is not { Failure: null, Status: 200 }) return ErrorOf(reply, options);
        using var document = Parse(reply.Body);
        if (document is null) return Untrusted(reply);
        var root = document.RootElement;
        var status = root.ValueKind is JsonValueKind.Object ? Text(root, "status") : root.GetRawText();
        var hasError = root.ValueKind is JsonValueKind.Object && root.TryGetProperty("error", out var error)
            && error.ValueKind is not JsonValueKind.Null && !(error.ValueKind is JsonValueKind.String && error.ValueEquals(""));
        return status switch
        {
            "1" or "ok" or "OK" or "true" when !hasError => null,
            "1" or "ok" or "OK" or "true" or "0" or "error" or "false" =>
                reply.Error(ErrorKind.Rejected, hasError ? Said(reply, options) : "Mixpanel accepted nothing of the request and gave no reason."),
            _ => Untrusted(reply),
        };
    }

    /// <summary>Returns the error of an answer that is not a success, by its status.</summary>
    public static MixpanelError ErrorOf(Reply reply, MixpanelOptions options)
    {
        if (reply.Failure is { } failure) return failure;
        var words = Said(reply, options);
        var (kind, message) = Explain(reply, options, words);
        var shown = KnownMessages.Messages.Contains(words) ? message : Explain(reply, options, words: null).Message;
        return reply.Error(kind, message) with { RetryAfter = reply.RetryAfter, WithoutWords = shown };
    }

    /// <summary>Returns the error of an answer to a raw export: refused credentials are reported as 400 in plain text.</summary>
    public static MixpanelError ExportError(Reply reply, MixpanelOptions options)
    {
        var error = ErrorOf(reply, options);
        return reply.Status == 400 && error.Message.Contains("authenticate", StringComparison.OrdinalIgnoreCase)
            ? error with { Kind = ErrorKind.Unauthorized }
            : error;
    }

    /// <summary>
    /// The error of a request whose outcome is unknown and that must not be repeated blindly: its one advice is to check, not to try again.
    /// </summary>
    /// <param name="error">The error of the answer, or of its absence.</param>
    /// <param name="advice">What may have happened, and how to find out.</param>
    public static MixpanelError Unconfirmed(MixpanelError error,
        string advice = "It may have been done, but whether it was is unknown, and it was not retried: check before you retry it.") =>
        error with
        {
            Message = error.Message.Replace(TryAgain, "", StringComparison.Ordinal).Replace(MixpanelRequest.Unknown, "", StringComparison.Ordinal)
                + " " + advice,
        };

    static (ErrorKind Kind, string Message) Explain(Reply reply, MixpanelOptions options, string? words)
    {
        var said = words is null ? "" : $" ({words})";
        return reply.Status switch
        {
            501 => (ErrorKind.Unavailable, $"The server does not support this{said}."),
            507 => (ErrorKind.Unavailable, "The server has no space left (HTTP 507), which Mixpanel itself never returns. Free the disk of its store."),
            _ when reply.IsUnavailable =>
                (ErrorKind.Unavailable, $"Mixpanel is not available: HTTP {reply.Status}{(reply.Status is 408 or >= 500 ? "" : said)}.{TryAgain}"),
            400 or 412 or 422 => (ErrorKind.Rejected, words is null ? "Mixpanel refused the request." : $"Mixpanel refused the request: {words}"),
            401 => (ErrorKind.Unauthorized,
                $"Mixpanel did not accept the credentials{said}. Check {(options is { ServiceAccount: null, Token: not null } ? "the token" : "the user name, the secret")}, and that the region is the project's."),
            402 => (ErrorKind.Forbidden, $"The plan of this organization does not allow the call{said}."),
            403 => (ErrorKind.Forbidden,
                $"The credentials lack the role for this call{said}. Imports need a project owner or admin; service accounts an organization owner or admin."),
            404 => (ErrorKind.NotFound, $"Mixpanel does not know the project, organization or object{said}. Check the ids and the region."),
            414 => (ErrorKind.InvalidInput, "The request's URL is longer than Mixpanel accepts. Shorten the longest value of the input."),
            413 => (ErrorKind.TooLarge, $"The request is larger than Mixpanel accepts{said}."),
            429 => (ErrorKind.RateLimited,
                "Mixpanel's rate limit is exceeded. Try again later; queries are limited to 60 an hour, ingestion to about 30,000 events a second."),
            >= 300
                and < 400 => (ErrorKind.Protocol,
                    $"The response is a redirect{(reply.Location is { } l ? $" to {Safe(options, l.Host)}" : "")}. Mixpanel does not redirect here: "
                    + $"check the endpoint and the region."),
            _ => (ErrorKind.Protocol, $"HTTP {reply.Status} is not a response of Mixpanel to this request. Check the endpoint and the region."),
        };
    }

    static MixpanelError Untrusted(Reply reply) =>
        reply.Error(ErrorKind.Protocol,
            $"HTTP {reply.Status} was received without Mixpanel's complete JSON response.{reply.UnknownOutcome} Check the endpoint.");

    static JsonDocument? Parse(ReadOnlyMemory<byte> body)
    {
        try
        {
            var document = JsonDocument.Parse(body);
            if (HasReadableNames(document.RootElement)) return document;
            document.Dispose();
            return null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Returns false when a member's name contains a lone surrogate: any lookup of a member would throw.</summary>
    static bool HasReadableNames(JsonElement element)
    {
        if (element.ValueKind is not JsonValueKind.Object) return true;
        try
        {
            return element.EnumerateObject().All(member => member.Name is not null);
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }

    /// <summary>Returns null when the list is missing or invalid: an index that is out of range or duplicate, an item that is not a record.</summary>
    /// <param name="root">The answer.</param>
    /// <param name="sent">The number of records that were sent.</param>
    /// <param name="options">The secrets to censor.</param>
    /// <param name="mayRepeat">Whether a record may be listed more than once; the first reason counts.</param>
    static List<FailedRecord>? FailedRecords(JsonElement root, int sent, MixpanelOptions options, bool mayRepeat = false)
    {
        if (!root.TryGetProperty("failed_records", out var list) || list.ValueKind is not JsonValueKind.Array) return null;
        var failed = new List<FailedRecord>(list.GetArrayLength());
        var seen = new HashSet<int>();
        foreach (var item in list.EnumerateArray())
        {
            if (item.ValueKind is not JsonValueKind.Object || !HasReadableNames(item)) return null;
            if (Integer(item, "index") is not { } index || index < 0 || index >= sent) return null;
            if (!seen.Add((int)index))
            {
                if (mayRepeat) continue;
                return null;
            }

            failed.Add(new FailedRecord
            {
                Index = (int)index,
                InsertId = (Text(item, "insert_id") ?? Text(item, "$insert_id")) is { } id ? Safe(options, id) : null,
                Field = Text(item, "field") is { } field ? Safe(options, field) : null,
                Message = Safe(options, Text(item, "message") ?? "no reason given"),
            });
        }

        failed.Sort((a, b) => a.Index.CompareTo(b.Index));
        return failed;
    }

    /// <summary>Returns the server's message, made safe to print: no secret, no control characters, limited length.</summary>
    static string Said(Reply reply, MixpanelOptions options)
    {
        using var document = Parse(reply.Body);
        string? said = null;
        if (document?.RootElement is { ValueKind: JsonValueKind.Object } root && root.TryGetProperty("error", out var error))
        {
            said = error.ValueKind is JsonValueKind.String ? Text(root, "error") : Plain(error);
            // The refusal of a whole batch lists its reasons as plain texts.
            if (root.TryGetProperty("failed_records", out var reasons) && reasons.ValueKind is JsonValueKind.Array
                && reasons.EnumerateArray().Any(reason => reason.ValueKind is JsonValueKind.String))
                said += ": "
                    + string.Join("; ", reasons.EnumerateArray().Where(reason => reason.ValueKind is JsonValueKind.String).Take(3).Select(Plain))
                        .Replace("\"", "", StringComparison.Ordinal);
        }
        else if (document?.RootElement is { ValueKind: JsonValueKind.Object } other && other.TryGetProperty("failed_records", out var records))
            said = Plain(records);
        said ??= Encoding.UTF8.GetString(reply.Body.Span[..Math.Min(reply.Body.Length, MostJudged)]);
        var clean = Safe(options, said);
        return clean.Length == 0 ? "no reason given" : clean;
    }

    /// <summary>Returns JSON without needless escapes, in which a secret could hide.</summary>
    static string Plain(JsonElement json)
    {
        try
        {
            var text = new ArrayBufferWriter<byte>();
            using var writer = new Utf8JsonWriter(text, JsonDefaults.WriterOptions);
            json.WriteTo(writer);
            writer.Flush();
            return Encoding.UTF8.GetString(text.WrittenSpan);
        }
        catch (InvalidOperationException)
        {
            return ""; // it contains text that is not valid Unicode
        }
    }

    internal static string Safe(MixpanelOptions options, string text) => Clean(Authorization.Censor(options, text));

    /// <summary>Returns external text, safe for a terminal and a log: one line, no control or direction characters, at most 300 characters.</summary>
    internal static string Clean(string text) => UnsafeText.Replaced(text, ' ', LongestMessage).Trim();

    static string? Text(JsonElement element, string name)
    {
        if (!element.TryGetProperty(name, out var value)) return null;
        try
        {
            return value.ValueKind switch
            {
                JsonValueKind.String => value.GetString(),
                JsonValueKind.Number => value.GetRawText(),
                JsonValueKind.True => "true",
                JsonValueKind.False => "false",
                _ => null,
            };
        }
        catch (InvalidOperationException)
        {
            return null; // a string that is not valid Unicode
        }
    }

    /// <summary>Reads an integer that may be written as 3, 3.0 or "3".</summary>
    static long? Integer(JsonElement element, string name) =>
        Text(element, name) is { } text
        && decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
        && decimal.Truncate(number) == number && number is >= long.MinValue and <= long.MaxValue
            ? (long)number
            : null;
}
