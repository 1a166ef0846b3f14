namespace MixpanelConnector;

/// <summary>The type of the values in a column.</summary>
public enum ImportColumnType
{
    /// <summary>Text, unchanged.</summary>
    Text,

    /// <summary>
    /// Numbers: JSON number literals that a double can represent. Exponents are accepted; leading zeros, plus signs and thousands separators are not.
    /// </summary>
    Number,

    /// <summary>true and false, t and f, yes and no, y and n, 1 and 0, case-insensitive.</summary>
    Boolean,

    /// <summary>
    /// Times: ISO 8601 text (UTC if it has no zone), or whole seconds or milliseconds since
    /// 1970. A property becomes a Mixpanel date in UTC; the time of an event becomes an integer.
    /// </summary>
    Time,

    /// <summary>JSON. An object in the column <c>properties</c> supplies the record's properties.</summary>
    Json,
}
