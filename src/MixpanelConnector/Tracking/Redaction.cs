using MixpanelConnector.Tracking;

namespace MixpanelConnector;

/// <summary>What is taken out of events and updates of profiles before they are kept or sent: properties by name and texts by pattern, at every depth, in lists and objects too. The ids of events and of profiles, their time and the token are no properties: they stay. Immutable: change a copy with <c>with</c>.</summary>
public sealed record Redaction
{
    /// <summary>Names of properties, whose values are not to leave, such as <c>password</c> or <c>$email</c>; whole names in any case. <c>ip</c> is also the address that an update of a profile says. Default: none.</summary>
    public IReadOnlyList<string> Names { get; init; } = [];

    /// <summary>Regular expressions of what is not to leave in texts and in names, such as <c>\b\d{3}-\d{2}-\d{4}\b</c>. Case counts, unless one begins with <c>(?i)</c>. They run in linear time, so there are no lookarounds and no references back. Default: none.</summary>
    public IReadOnlyList<string> Patterns { get; init; } = [];

    /// <summary>Whether e-mail addresses in texts are taken out. Default: false.</summary>
    public bool EmailAddresses { get; init; }

    /// <summary>Whether numbers of payment cards are taken out of texts, and as numbers: 13 to 19 digits, in groups or not, whose check digit is right. One in ten other numbers of that length looks like one. Default: false.</summary>
    public bool CardNumbers { get; init; }

    /// <summary>What stands in place of a value whose property is named, and of the part of a text that matches. Default: null, and the property or the item of a list goes as a whole. An update that adds to a number or changes a list loses the property in any case, and so does one whose name matches a pattern.</summary>
    public string? Replacement { get; init; }

    /// <summary>Whether nothing is taken out.</summary>
    internal bool IsEmpty => this is { Names.Count: 0, Patterns.Count: 0, EmailAddresses: false, CardNumbers: false };

    /// <exception cref="MixpanelException">A name or a pattern cannot be one.</exception>
    internal Redaction Validated()
    {
        _ = new Redactor(this);
        return this;
    }
}
