using System.Collections.Frozen;
using System.Text;
using System.Text.Json;

namespace MixpanelConnector.Transport;

/// <summary>
/// Mixpanel's known messages for refused records or requests, which do not quote the record: they may be shown anywhere. See
/// https://developer.mixpanel.com/reference/import-events.
/// </summary>
static class KnownMessages
{
    public static readonly FrozenSet<string> Messages = FrozenSet.ToFrozenSet(
        [
            "'event' must not be missing or blank",
            "'properties' is invalid: must not be missing",
            "'properties.time' is invalid: must not be missing",
            "'properties.time' is invalid: must be specified as seconds since epoch",
            "'properties.time' is invalid: must not be in the future",
            "'properties.distinct_id' is invalid: must not be missing",
            "'properties.$insert_id' is invalid: must not be missing",
            "'$insert_id' is invalid: must only contain alphanumeric or hyphen '-' characters",
            "some data points in the request failed validation",
            "Invalid credentials",
            "Invalid service account credentials",
            "Your plan does not allow API calls. Upgrade at mixpanel.com/pricing",
            TimeoutError,
        ],
        StringComparer.Ordinal);

    /// <summary>The answer to a query that took too long, with status 400: it may succeed when Mixpanel is less busy.</summary>
    const string TimeoutError = "Timeout Error.";

    // The texts of 4xx answers to requests that are correct but could not be served at the time. They are short.
    static readonly string[] Unavailable = [TimeoutError];
    const int LongestUnavailable = 64 << 10; // the answer repeats the URL of the request

    /// <summary>Whether the body of a 4xx answer indicates that the request may succeed later: as JSON with an <c>error</c>, or as plain text.</summary>
    public static bool SayUnavailable(ReadOnlySpan<byte> body)
    {
        if (body.Length > LongestUnavailable) return false;
        var text = body.Trim(" \r\n\t"u8);
        if (text is not [(byte)'{', ..]) return IsUnavailable(Encoding.UTF8.GetString(text));
        try
        {
            var reader = new Utf8JsonReader(text);
            return JsonDocument.TryParseValue(ref reader, out var document) && SaysUnavailable(document);
        }
        catch (JsonException)
        {
            return false;
        }
    }

    static bool SaysUnavailable(JsonDocument document)
    {
        using (document)
        {
            try
            {
                return document.RootElement.TryGetProperty("error", out var error) && error.ValueKind switch
                {
                    JsonValueKind.String => IsUnavailable(error.GetString()!),
                    JsonValueKind.Array => error.EnumerateArray().Any(each => each.ValueKind is JsonValueKind.String && IsUnavailable(each.GetString()!)),
                    _ => false,
                };
            }
            catch (InvalidOperationException)
            {
                return false; // text that is not valid Unicode
            }
        }
    }

    static bool IsUnavailable(string text) => Unavailable.Any(known => text.Trim().TrimEnd('.').Equals(known.TrimEnd('.'), StringComparison.OrdinalIgnoreCase));

    public static readonly FrozenSet<string> Fields = FrozenSet.ToFrozenSet(
        ["event", "properties", "properties.time", "properties.distinct_id", "properties.$insert_id", "$insert_id", "$distinct_id", "$group_id", "$group_key",
            "$token"],
        StringComparer.Ordinal);
}
