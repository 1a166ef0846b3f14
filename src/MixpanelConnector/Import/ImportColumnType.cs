namespace MixpanelConnector;

/// <summary>What the values of a column are.</summary>
public enum ImportColumnType
{
    /// <summary>Text, as it stands.</summary>
    Text,

    /// <summary>Numbers: literals as JSON has them, which a double holds. Exponents are taken; leading zeros, plus signs and separators of thousands are not.</summary>
    Number,

    /// <summary>true and false, t and f, yes and no, y and n, 1 and 0, in any case.</summary>
    Boolean,

    /// <summary>Times: ISO 8601 text (without a zone it is UTC), or whole seconds or milliseconds since 1970. A property becomes a date as Mixpanel has them, in UTC; the time of an event an integer.</summary>
    Time,

    /// <summary>JSON. An object in the column <c>properties</c> gives the record's properties.</summary>
    Json,
}
