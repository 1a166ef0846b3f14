using MixpanelConnector.Tracking.Screening;

namespace MixpanelConnector;

/// <summary>
/// Removes data from events and profile updates before they are stored or sent: properties by name and texts by pattern, at every depth, in lists and objects
/// too. The ids of events and profiles, their time and the token are not properties and stay. Immutable: change a copy with <c>with</c>.
/// </summary>
public sealed record Redaction
{
    /// <summary>
    /// Names of properties whose values must not be sent, such as <c>password</c> or <c>$email</c>; whole names, case-insensitive. <c>ip</c> also covers the
    /// address in the settings of a profile update. Default: none.
    /// </summary>
    public IReadOnlyList<string> Names { get; init; } = [];

    /// <summary>
    /// Regular expressions for content that must not be sent, in texts and in names, such as <c>\b\d{3}-\d{2}-\d{4}\b</c>. Case-sensitive, unless one begins
    /// with <c>(?i)</c>. They run in linear time, so lookarounds and backreferences are not supported. Default: none.
    /// </summary>
    public IReadOnlyList<string> Patterns { get; init; } = [];

    /// <summary>Whether e-mail addresses in texts are redacted. Default: false.</summary>
    public bool EmailAddresses { get; init; }

    /// <summary>
    /// Whether payment card numbers are redacted, in texts and as numbers: 13 to 19 digits, grouped or not, with a valid check digit. One in ten other numbers
    /// of that length looks like one. Default: false.
    /// </summary>
    public bool CardNumbers { get; init; }

    /// <summary>
    /// The replacement for the value of a named property, and for the matching part of a text. Default: null, which removes the whole property or list item. An
    /// update that adds to a number or changes a list loses the property in any case, and so does one whose name matches a pattern.
    /// </summary>
    public string? Replacement { get; init; }

    /// <summary>Whether nothing is redacted.</summary>
    internal bool IsEmpty => this is { Names.Count: 0, Patterns.Count: 0, EmailAddresses: false, CardNumbers: false };

    /// <exception cref="MixpanelException">A name or a pattern is invalid.</exception>
    internal Redaction Validated()
    {
        _ = new Redactor(this);
        return this;
    }
}
