namespace MixpanelConnector;

/// <summary>What an action does to Mixpanel's data. It determines who may call the action, and whether confirmation is required.</summary>
public enum ActionEffect
{
    /// <summary>Changes nothing.</summary>
    Read,

    /// <summary>Creates something new with each call.</summary>
    Create,

    /// <summary>Changes data.</summary>
    Update,

    /// <summary>Irreversibly removes or replaces something.</summary>
    Delete,
}

/// <summary>The Mixpanel rate limit that a call of an action counts against.</summary>
public enum RateCost
{
    /// <summary>No documented limit.</summary>
    None,

    /// <summary>A query: 60 per hour and project, and 5 at a time.</summary>
    Query,

    /// <summary>Ingestion: about 2 GB of JSON, or 30,000 events a second, over a minute, per project.</summary>
    Ingestion,

    /// <summary>A raw export: 60 per hour and 3 per second, per project.</summary>
    Export,

    /// <summary>A call for Lexicon schemas: 5 per minute and 4,000 names per minute, per organization.</summary>
    Lexicon,

    /// <summary>The replacement of a lookup table: 100 per day and project.</summary>
    LookupTables,

    /// <summary>A call for users' personal data: one per second.</summary>
    Gdpr,
}
