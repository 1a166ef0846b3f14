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

    /// <summary>
    /// The action that makes what this one refers to, the field that refers to it, and the field of the response that has its value; null when there is none.
    /// Of the actions of its group that create something, the one whose name has the most words of this one's, and the fewest others.
    /// </summary>
    public static (ActionDescriptor Action, string Field, string Made)? Maker(ActionDescriptor action)
    {
        if (IsMaker(action)) return null;
        var makers = ActionCatalogue.Actions.Where(other => other.Group == action.Group && IsMaker(other))
            .Select(other => (Maker: other, Common: Words(other).Intersect(Words(action), StringComparer.Ordinal).Count()))
            .Where(other => other.Common > 0)
            .OrderByDescending(other => other.Common)
            .ThenBy(other => Words(other.Maker).Length);
        foreach (var (maker, _) in makers)
            foreach (var field in action.InputSchema()["required"]?.AsArray() ?? [])
                if (MadeFor((string)field!, maker) is { } made) return (maker, (string)field!, made);
        return null;

        static bool IsMaker(ActionDescriptor one) => one.Name.StartsWith("create_", StringComparison.Ordinal);

        static string[] Words(ActionDescriptor one) => [.. one.Name.Split('_').Skip(1).Select(word => word.TrimEnd('s'))];

        static string? MadeFor(string field, ActionDescriptor maker)
        {
            var made = maker.OutputSchema()["properties"]!.AsObject();
            if (field is not "name" && made.ContainsKey(field)) return field;
            if (made.FirstOrDefault(output => output.Key.EndsWith($"_{field}s", StringComparison.Ordinal)).Key is { } list) return list;
            var parts = field.Split('_');
            return parts[^1] is "id" or "ids" && made.ContainsKey("id") && parts.Intersect(Words(maker), StringComparer.Ordinal).Any() ? "id" : null;
        }
    }

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
