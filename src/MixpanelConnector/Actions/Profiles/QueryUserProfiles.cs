using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using MixpanelConnector.Transport;

namespace MixpanelConnector;

/// <summary>The profiles to query, and the properties to return.</summary>
public sealed record QueryUserProfilesInput : ReportInput
{
    /// <summary>Query filter expression in Mixpanel's segmentation language, such as properties["plan"] == "pro". Default: all profiles.</summary>
    public string? Where { get; init; }

    /// <summary>List of properties to retrieve. Default: all.</summary>
    [ItemSize(1)]
    public IReadOnlyList<string>? OutputProperties { get; init; }

    /// <summary>Page number for pagination, from 0. A page above 0 needs the session_id of the page before. Default: 0.</summary>
    [Range(0, long.MaxValue)]
    public long? Page { get; init; }

    /// <summary>Session ID for pagination, from the answer of the page before; keep the other inputs the same. Default: none.</summary>
    public string? SessionId { get; init; }

    /// <summary>A single user to query. Default: all.</summary>
    [Size(1)]
    public string? DistinctId { get; init; }

    /// <summary>The users to query. Default: all.</summary>
    [Size(1)]
    [ItemSize(1)]
    public IReadOnlyList<string>? DistinctIds { get; init; }

    /// <summary>The id of a group key, to query its profiles instead of user profiles. Default: none.</summary>
    [Size(1)]
    public string? DataGroupId { get; init; }

    /// <summary>The cohort to query, such as {"id":12345}. It excludes behaviors. Default: all users.</summary>
    public JsonObject? FilterByCohort { get; init; }

    /// <summary>Whether cohort members without a profile are included; only with filter_by_cohort. Default: true.</summary>
    public bool? IncludeAllUsers { get; init; }

    /// <summary>What users did, by a name for use in where: window, name and event_selectors each. They exclude filter_by_cohort. Default: none.</summary>
    [Size(1)]
    public IReadOnlyList<JsonObject>? Behaviors { get; init; }

    /// <summary>The time at which behaviors are evaluated, in seconds since 1970; more than 1,000 results with behaviors need it. Default: now.</summary>
    [Range(0, long.MaxValue)]
    public long? AsOfTimestamp { get; init; }
}

/// <summary>A page of profiles.</summary>
public sealed record QueryUserProfilesOutput
{
    /// <summary>List of user profiles matching the query.</summary>
    public required IReadOnlyList<UserProfile> Results { get; init; }

    /// <summary>Current page number.</summary>
    public required long Page { get; init; }

    /// <summary>Session ID for pagination: pass it with the next page.</summary>
    public string? SessionId { get; init; }

    /// <summary>The number of profiles on a full page. A page with fewer is the last.</summary>
    public long? PageSize { get; init; }

    /// <summary>The number of matching profiles on all pages.</summary>
    public long? Total { get; init; }
}

/// <summary>How <see cref="MixpanelClient.QueryUserProfilesAsync(QueryUserProfilesInput, CancellationToken)"/> is implemented.</summary>
static partial class QueryUserProfiles
{
    const int DocumentedPageSize = 1000;
    static readonly QueryUserProfilesJson Json = new(JsonDefaults.Options());
    static readonly QueryUserProfilesJson ReplyJson = new(JsonDefaults.ReplyOptions());

    public static async ValueTask<QueryUserProfilesOutput> ExecuteAsync(ActionContext context, QueryUserProfilesInput input,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(input);
        if (input.Page > 0 && string.IsNullOrEmpty(input.SessionId))
            throw MixpanelException.Invalid("session_id", "A page above 0 requires the session_id of the previous page.");

        if (input.DistinctId is not null && input.DistinctIds is not null)
            throw MixpanelException.Invalid("distinct_ids", "Specify either distinct_id or distinct_ids.");
        if (input.FilterByCohort is not null && input.Behaviors is not null)
            throw MixpanelException.Invalid("behaviors", "Specify either behaviors or filter_by_cohort.");
        if (input.IncludeAllUsers is not null && input.FilterByCohort is null)
            throw MixpanelException.Invalid("include_all_users", "include_all_users applies to a cohort: it requires filter_by_cohort.");

        EventJson.EnsureUnicode("where", input.Where ?? "");

        var request = context.Request().WithView(input) with
        {
            Body = new RequestBody(Encoding.UTF8.GetBytes(Form(input)), "application/x-www-form-urlencoded"),
        };
        var reply = await context.Transport.SendAsync(request, cancellationToken).ConfigureAwait(false);
        if (reply.Status == 400 && !reply.IsUnavailable && input.Where is { Length: > 0 } where)
            throw new MixpanelException(WhereError(ReplyClassifier.ErrorOf(reply, context.Options), where));
        using var document = ReplyClassifier.ReadJson(reply, context.Options);
        try
        {
            var page = document.RootElement.Deserialize(ReplyJson.WireReply);
            if (page?.Results is null || page.Results.Any(profile => profile is not { DistinctId: not null, Properties: not null }))
                throw new JsonException("A profile is missing.");
            return new QueryUserProfilesOutput
            {
                Results = page.Results,
                Page = page.Page ?? input.Page ?? 0,
                SessionId = page.SessionId,
                PageSize = page.PageSize,
                Total = page.Total,
            };
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new MixpanelException(reply.Error(ErrorKind.Protocol, "Mixpanel's response is not the documented page of profiles."), e);
        }
    }

    internal static async IAsyncEnumerable<UserProfile> ReadAllAsync(ActionContext context, QueryUserProfilesInput input,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        while (true)
        {
            var page = await UserProfileActions.QueryUserProfiles.InvokeAsync(context, input, isChecked: false, cancellationToken).ConfigureAwait(false);
            foreach (var profile in page.Results) yield return profile;
            if (page.Results.Count == 0 || page.Results.Count < (page.PageSize ?? DocumentedPageSize)) yield break;

            // Counted here: an answer with a repeated page number must not cause an endless loop.
            input = input with { Page = (input.Page ?? 0) + 1, SessionId = page.SessionId ?? input.SessionId };
            if (string.IsNullOrEmpty(input.SessionId))
                throw new MixpanelException(new(ErrorKind.Protocol,
                    "Mixpanel returned a full page of profiles without the session_id that the next page requires."));
        }
    }

    static string Form(QueryUserProfilesInput input)
    {
        var form = new StringBuilder();
        Add("where", input.Where);
        if (input.OutputProperties is { Count: > 0 } names) Add("output_properties", JsonSerializer.Serialize([.. names], Json.Names));
        Add("page", input.Page?.ToString(CultureInfo.InvariantCulture));
        Add("session_id", input.SessionId);
        Add("distinct_id", input.DistinctId);
        if (input.DistinctIds is { Count: > 0 } ids) Add("distinct_ids", JsonSerializer.Serialize([.. ids], Json.Names));
        Add("data_group_id", input.DataGroupId);
        Add("filter_by_cohort", Text(input.FilterByCohort));
        Add("include_all_users", input.IncludeAllUsers switch { true => "true", false => "false", null => null });
        if (input.Behaviors is { Count: > 0 } behaviors) Add("behaviors", Text(new JsonArray([.. behaviors.Select(behavior => behavior.DeepClone())])));
        Add("as_of_timestamp", input.AsOfTimestamp?.ToString(CultureInfo.InvariantCulture));
        return form.ToString();

        static string? Text(JsonNode? json) => json is null ? null : Encoding.UTF8.GetString(JsonDefaults.Utf8(json));

        void Add(string name, string? value)
        {
            if (string.IsNullOrEmpty(value)) return;
            if (form.Length > 0) form.Append('&');
            form.Append(name).Append('=').Append(Uri.EscapeDataString(value));
        }
    }

    /// <summary>Shows where in the expression the error is, if the refusal contains a position.</summary>
    static MixpanelError WhereError(MixpanelError error, string where)
    {
        const string Marker = " at position ";
        error = error with { Field = "where" };
        var at = error.Message.LastIndexOf(Marker, StringComparison.Ordinal);
        if (at < 0) return error;
        var digits = error.Message.AsSpan(at + Marker.Length);
        var length = digits.IndexOfAnyExceptInRange('0', '9');
        if (!int.TryParse(length < 0 ? digits : digits[..length], NumberStyles.None, CultureInfo.InvariantCulture, out var position) || position < 1
            || position > where.Length + 1)
            return error;

        // One line of at most 78 characters around the position.
        var start = Math.Max(0, position - 1 - 50);
        var line = UnsafeText.Replaced(where.AsSpan(start, Math.Min(where.Length - start, 78)), ' ');
        return error with { Message = $"{error.Message}\n  {line}\n  {new string(' ', position - 1 - start)}^" };
    }

    internal sealed record WireReply
    {
        public required IReadOnlyList<UserProfile> Results { get; init; }

        public long? Page { get; init; }

        [JsonConverter(typeof(TextOrNumber))]
        public string? SessionId { get; init; }

        public long? PageSize { get; init; }

        public long? Total { get; init; }
    }

    [JsonSerializable(typeof(WireReply), TypeInfoPropertyName = "WireReply")]
    [JsonSerializable(typeof(string[]), TypeInfoPropertyName = "Names")]
    sealed partial class QueryUserProfilesJson : JsonSerializerContext;
}

public sealed partial class MixpanelClient
{
    /// <summary>Retrieves user profiles that match a filter, page by page.</summary>
    /// <example>{"where":"properties[\"plan\"] == \"pro\"","output_properties":["$email","plan"]}</example>
    /// <param name="input">The profiles to query, and the properties to return. Default: all.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="MixpanelException">The input is invalid, or Mixpanel failed or refused the call.</exception>
    public ValueTask<QueryUserProfilesOutput> QueryUserProfilesAsync(QueryUserProfilesInput? input = null, CancellationToken cancellationToken = default) =>
        InvokeAsync(UserProfileActions.QueryUserProfiles, input ?? new(), cancellationToken);

    /// <summary>Retrieves all user profiles that match a filter, fetching pages on demand.</summary>
    /// <param name="input">The profiles to query, and the properties to return; starts at its page. Default: all.</param>
    /// <param name="cancellationToken">Cancels the reading.</param>
    /// <exception cref="MixpanelException">The input is invalid, or Mixpanel failed or refused the call.</exception>
    public IAsyncEnumerable<UserProfile> QueryAllUserProfilesAsync(QueryUserProfilesInput? input = null, CancellationToken cancellationToken = default) =>
        QueryUserProfiles.ReadAllAsync(UserProfileActions.QueryUserProfiles.Context(this), input ?? new(), cancellationToken);

    /// <summary>Retrieves the first page of the user profiles that match a condition.</summary>
    /// <param name="where">The condition.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="MixpanelException">The condition is invalid, or Mixpanel failed or refused the call.</exception>
    [OverloadResolutionPriority(-1)] // new() { Where = … } resolves to the input
    public ValueTask<QueryUserProfilesOutput> QueryUserProfilesAsync(MixpanelSelector where, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(where);
        return QueryUserProfilesAsync(new QueryUserProfilesInput { Where = where }, cancellationToken);
    }

    /// <summary>Retrieves all user profiles that match a condition, fetching pages on demand.</summary>
    /// <param name="where">The condition.</param>
    /// <param name="cancellationToken">Cancels the reading.</param>
    /// <exception cref="MixpanelException">The condition is invalid, or Mixpanel failed or refused the call.</exception>
    [OverloadResolutionPriority(-1)] // new() { Where = … } resolves to the input
    public IAsyncEnumerable<UserProfile> QueryAllUserProfilesAsync(MixpanelSelector where, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(where);
        return QueryAllUserProfilesAsync(new QueryUserProfilesInput { Where = where }, cancellationToken);
    }
}
