namespace MixpanelConnector;

/// <summary>What an action does to Mixpanel's data. It decides who may call it, and what is asked before.</summary>
public enum ActionEffect
{
    /// <summary>Changes nothing.</summary>
    Read,

    /// <summary>Makes something new each time.</summary>
    Create,

    /// <summary>Changes data.</summary>
    Update,

    /// <summary>Removes or replaces something that cannot be brought back.</summary>
    Delete,
}

/// <summary>The limit of Mixpanel's that a call of an action counts against.</summary>
public enum RateCost
{
    /// <summary>None that is documented.</summary>
    None,

    /// <summary>A query: a project has 60 an hour, and 5 at a time.</summary>
    Query,

    /// <summary>Ingestion: a project takes about 2 GB of JSON, or 30,000 events a second, over a minute.</summary>
    Ingestion,

    /// <summary>A raw export: a project has 60 an hour, and 3 a second.</summary>
    Export,

    /// <summary>A call about Lexicon schemas: an organization has 5 a minute, and 4,000 names a minute.</summary>
    Lexicon,

    /// <summary>The replacement of a lookup table: a project has 100 a day.</summary>
    LookupTables,

    /// <summary>A call about the data of persons: one a second.</summary>
    Gdpr,
}
