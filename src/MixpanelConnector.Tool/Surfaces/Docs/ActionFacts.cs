namespace MixpanelConnector.Tool.Surfaces.Docs;

/// <summary>Describes an action's declaration in words.</summary>
static class ActionFacts
{
    /// <summary>Its credential, its rate limit, and a link to Mixpanel's documentation.</summary>
    public static string Of(ActionDescriptor action) => $"{Needs(action.Auth)} {Costs(action.Cost)}See {action.Documentation}.";

    /// <summary>How it changes data, and whether it is idempotent.</summary>
    public static string Effect(ActionDescriptor action) => action.Effect switch
    {
        ActionEffect.Read => "It changes nothing.",
        ActionEffect.Delete => "It removes or replaces something irreversibly.",
        ActionEffect.Create when !action.IsRepeatable => "It creates something new each time.",
        _ => $"It changes data.{(action.IsRepeatable ? " It is idempotent: repeating a call changes nothing more." : " It is not idempotent: a repeated call may change more, or be refused.")}{(action.CanBeUndone ? "" : " It cannot be undone.")}",
    };

    /// <summary>The credential it needs.</summary>
    public static string Needs(AuthScheme auth) => auth switch
    {
        AuthScheme.ProjectToken => "Needs the project token.",
        AuthScheme.ServiceAccount => "Needs a service account.",
        AuthScheme.ServiceAccountOfProject => "Needs a service account and a project.",
        AuthScheme.ServiceAccountOfProjectOrToken => "Needs a service account and a project, or the project token.",
        AuthScheme.OAuthToken => "Needs an OAuth token and the project token.",
        _ => throw new InvalidOperationException($"{auth} is not known here."),
    };

    /// <summary>The rate limit that it counts against, with a trailing space; empty if none matters.</summary>
    public static string Costs(RateCost cost) => cost switch
    {
        RateCost.None or RateCost.Ingestion => "",
        RateCost.Query => "Each call counts against the limit of 60 queries an hour, 5 of them at a time. ",
        RateCost.Export => "Each call counts against the limit of 60 exports an hour, 3 of them a second. ",
        RateCost.Lexicon => "Mixpanel allows 5 such calls a minute. ",
        RateCost.LookupTables => "Mixpanel allows 100 such calls a day. ",
        RateCost.Gdpr => "Mixpanel allows one such call a second. ",
        _ => throw new InvalidOperationException($"{cost} is not known here."),
    };
}
