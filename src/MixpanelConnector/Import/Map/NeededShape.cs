namespace MixpanelConnector.Import.Map;

/// <summary>What a mapping needs a value to be, so that nothing of it is lost.</summary>
enum NeededShape
{
    /// <summary>An object with members.</summary>
    Object,

    /// <summary>A list.</summary>
    List,

    /// <summary>An object or a list.</summary>
    Container,

    /// <summary>An object whose members become properties.</summary>
    Members,

    /// <summary>A list of entries with names.</summary>
    Entries,

    /// <summary>A list of entries whose values the mapping reads.</summary>
    EntriesWithValues,

    /// <summary>A list of names, or an object.</summary>
    Names,

    /// <summary>A text, a number, true or false.</summary>
    Scalar,

    /// <summary>A text or a number.</summary>
    Id,

    /// <summary>A time.</summary>
    Time,

    /// <summary>One that can be converted, such as a country. Otherwise the result lacks it, which is counted.</summary>
    Converted,

    /// <summary>A text whose objects have each member once.</summary>
    Unique,
}
