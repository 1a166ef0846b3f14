using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace MixpanelConnector.Tracking.Screening;

/// <summary>Removes from a record what a <see cref="Redaction"/> specifies. It works on parsed JSON, which is exactly what is sent.</summary>
sealed class Redactor
{
    const RegexOptions Linear = RegexOptions.NonBacktracking | RegexOptions.CultureInvariant;

    // In a URL the @ is percent-encoded.
    const string EmailAddress = @"[\p{L}\p{N}.!#$%&'*+/=?^_`{|}~-]+(?:@|%40)[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+";

    static readonly string[] Ids = ["distinct_id", "$distinct_id", "$user_id", "$device_id", "$insert_id"];

    readonly HashSet<string> _names;
    readonly List<Regex> _patterns;
    readonly bool _cards;
    readonly string? _replacement;

    /// <exception cref="MixpanelException">A name or a pattern is invalid.</exception>
    public Redactor(Redaction redaction)
    {
        _names = new(redaction.Names, StringComparer.OrdinalIgnoreCase);
        if (_names.Contains("")) throw MixpanelException.Invalid("redaction", "The name of a property to redact is empty.");
        if (Ids.FirstOrDefault(_names.Contains) is { } id)
            throw MixpanelException.Invalid("redaction",
                $"{id} cannot be redacted: Mixpanel identifies records by it. Use another id, or change the user in BeforeSend.");
        _patterns = [.. redaction.Patterns.Select(Compiled)];
        if (redaction.EmailAddresses) _patterns.Add(new(EmailAddress, Linear));
        (_cards, _replacement) = (redaction.CardNumbers, redaction.Replacement);
    }

    public void Redact(OutgoingRecord record)
    {
        if (RecordScreen.JoinsIds(record.Kind, record.Name)) return; // the properties of such an event are ids
        if (_names.Contains("ip") || _names.Contains("$ip"))
        {
            // No text can replace an IP address, from which Mixpanel derives a location.
            record.Properties.Remove("ip");
            if (record.Settings is { Ip: not null } settings) record.Settings = settings with { Ip = null };
        }

        Redact(record.Properties, record.Kind is TrackedKind.Event || record.Name is "$set" or "$set_once" ? _replacement : null);
    }

    void Redact(JsonObject members, string? replacement)
    {
        foreach (var (name, value) in members.ToList())
        {
            if (Redacted(name, null) != name) members.Remove(name);
            else if (_names.Contains(name)) Put(replacement);
            else if (value is not null && Redacted(value, replacement) is var redacted && redacted != value) Put(redacted);

            void Put(JsonNode? instead)
            {
                if (instead is null) members.Remove(name);
                else members[name] = instead;
            }
        }
    }

    /// <summary>Returns the same value when nothing is redacted; null when all of it is.</summary>
    JsonNode? Redacted(JsonNode value, string? replacement)
    {
        switch (value)
        {
            case JsonObject members:
                Redact(members, replacement);
                return members;
            case JsonArray items:
                for (var i = items.Count - 1; i >= 0; i--)
                {
                    if (items[i] is not { } item || Redacted(item, replacement) is var redacted && redacted == item) continue;
                    if (redacted is null) items.RemoveAt(i);
                    else items[i] = redacted;
                }

                return items;
            default:
                return value.GetValueKind() switch
                {
                    JsonValueKind.String when value.GetValue<string>() is var text => Redacted(text, replacement) is var rest && rest == text ? value : rest,
                    JsonValueKind.Number when _cards && value.ToJsonString() is var digits && digits.All(char.IsAsciiDigit)
                        && CardNumbers.Replace(digits, "") != digits => replacement,
                    _ => value,
                };
        }
    }

    string? Redacted(string text, string? replacement)
    {
        var rest = text;
        foreach (var pattern in _patterns)
        {
            if (replacement is not null) rest = pattern.Replace(rest, _ => replacement);
            else if (pattern.IsMatch(rest)) return null;
        }

        if (!_cards) return rest;
        var without = CardNumbers.Replace(rest, replacement ?? "");
        return without != rest && replacement is null ? null : without;
    }

    static Regex Compiled(string pattern)
    {
        try
        {
            var regex = new Regex(pattern, Linear);
            return !regex.IsMatch("")
                ? regex
                : throw MixpanelException.Invalid("redaction", $"The pattern '{pattern}' matches the empty string, and therefore every text.");
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            throw MixpanelException.Invalid("redaction",
                $"The pattern '{pattern}' is not a regular expression that runs in linear time: {e.Message.TrimEnd('.')}.");
        }
    }
}
