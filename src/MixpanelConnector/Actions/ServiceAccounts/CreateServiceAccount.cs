using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using MixpanelConnector.Transport;

namespace MixpanelConnector;

/// <summary>The service account to create.</summary>
public sealed record CreateServiceAccountInput
{
    /// <summary>Username for the service account.</summary>
    [RegularExpression(TextForms.PlainName)]
    public required string Username { get; init; }

    /// <summary>Role of the service account in the organization: owner, admin, analyst or consumer. Default: Mixpanel's own.</summary>
    [AccountRole]
    public string? Role { get; init; }

    /// <summary>
    /// When the service account expires: an ISO 8601 date or date and time in the future, such as 2027-01-31, or a time from now in hours, days or weeks, such
    /// as 12h, 30d or 4w. Default: never.
    /// </summary>
    [RegularExpression(TextForms.Expiry)]
    public string? Expires { get; init; }

    /// <summary>
    /// Projects that the service account joins: ids, or objects with id and role. A missing role is the account's, else analyst. Default: none.
    /// </summary>
    public IReadOnlyList<ProjectRole>? Projects { get; init; }

    /// <summary>The organization to create it in. Default: the configured one, else the only one the credential can see.</summary>
    [Range(1, long.MaxValue)]
    public long? OrganizationId { get; init; }
}

/// <summary>The created service account.</summary>
public sealed record CreateServiceAccountOutput
{
    /// <summary>Indicates if the account was successfully created: "true" or "false".</summary>
    public required string ServiceAccountCreated { get; init; }

    /// <summary>ID of the created service account.</summary>
    public string? Id { get; init; }

    /// <summary>The name to log in with, as Mixpanel returned it.</summary>
    public string? Username { get; init; }

    /// <summary>The secret of the account. Mixpanel returns it only once: store it safely.</summary>
    public MixpanelSecret? Secret { get; init; }

    /// <summary>When the account expires; absent when never.</summary>
    public string? Expires { get; init; }

    /// <summary>Why Mixpanel refused, if it did.</summary>
    public string? Error { get; init; }
}

/// <summary>How <see cref="MixpanelClient.CreateServiceAccountAsync(CreateServiceAccountInput, CancellationToken)"/> is implemented.</summary>
static partial class CreateServiceAccount
{
    static readonly CreateServiceAccountJson Json = new(JsonDefaults.Options());
    static readonly CreateServiceAccountJson ReplyJson = new(JsonDefaults.ReplyOptions());

    public static async ValueTask<CreateServiceAccountOutput> ExecuteAsync(ActionContext context, CreateServiceAccountInput input,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(input);
        var body = Body(input, context.Options.TimeProvider.GetUtcNow());
        var organization = input.OrganizationId ?? await CredentialScope.OrganizationAsync(context, cancellationToken).ConfigureAwait(false);
        var request = context.Request(string.Create(CultureInfo.InvariantCulture, $"/api/app/organizations/{organization}/service-accounts")) with
        {
            Body = new RequestBody(JsonSerializer.SerializeToUtf8Bytes(body, Json.WireBody), "application/json"),
        };

        var reply = await context.Transport.SendAsync(request, cancellationToken).ConfigureAwait(false);
        if (reply.Status is 400 or 422 && !reply.IsUnavailable)
            return new CreateServiceAccountOutput { ServiceAccountCreated = "false", Error = ReplyClassifier.ErrorOf(reply, context.Options).Message };
        try
        {
            using var document = ReplyClassifier.ReadJson(reply, context.Options);
            var account = document.RootElement.GetProperty("results").Deserialize(ReplyJson.WireReply) ?? throw new JsonException("The account is missing.");
            return new CreateServiceAccountOutput
            {
                ServiceAccountCreated = "true",
                Id = account.Id,
                Username = account.Username,
                Secret = new MixpanelSecret(account.Token),
                Expires = account.Expires,
            };
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or ArgumentException or InvalidOperationException)
        {
            throw new MixpanelException(
                reply.Error(ErrorKind.Protocol,
                    "Mixpanel's response lacks the new account's id, name or secret. The account may exist: check with get_all_service_accounts, "
                    + "and delete it if its secret is lost."),
                e);
        }
        catch (MixpanelException e) when (e.Error.Kind is ErrorKind.Timeout or ErrorKind.Unavailable or ErrorKind.Protocol && reply.MayHaveArrived
            && (reply.Status is 0 or 200 or 201 or >= 500 || reply.IsUnavailable))
        {
            throw new MixpanelException(
                ReplyClassifier.Unconfirmed(e.Error,
                    "The account may have been created, but whether it was is unknown: check with get_all_service_accounts before you try again."),
                e);
        }
    }

    static WireBody Body(CreateServiceAccountInput input, DateTimeOffset now)
    {
        EventJson.EnsureUnicode("username", input.Username);
        return new WireBody
        {
            Username = input.Username.Trim(),
            Role = input.Role,
            Expires = Expiry(input.Expires, now),
            Projects = input.Projects?.Select(project => project with { Role = project.Role ?? input.Role ?? "analyst" }).ToArray(),
        };
    }

    static string? Expiry(string? expires, DateTimeOffset now)
    {
        if (expires is null) return null;
        var text = expires.Trim();
        if (text is [.., 'h' or 'd' or 'w'])
            return OnTheWire(LengthOfTime.Parse(text) is { } length && length <= DateTimeOffset.MaxValue - now
                ? now + length
                : throw MixpanelException.Invalid("expires", "The expiration is too far in the future."));
        if (!DateTimeOffset.TryParseExact(text, ["yyyy-MM-dd", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK", "yyyy-MM-dd'T'HH:mmK"], CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal, out var time))
            throw MixpanelException.Invalid("expires", $"The expiration is {text}, a time that does not exist.");
        if (time <= now) throw MixpanelException.Invalid("expires", "The expiration is in the past: the account could never be used.");
        return OnTheWire(time);

        static string OnTheWire(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
    }

    internal sealed record WireBody
    {
        public required string Username { get; init; }

        public string? Role { get; init; }

        public string? Expires { get; init; }

        public IReadOnlyList<ProjectRole>? Projects { get; init; }
    }

    internal sealed record WireReply
    {
        [JsonConverter(typeof(TextOrNumber))]
        public required string Id { get; init; }

        public required string Username { get; init; }

        public required string Token { get; init; }

        public string? Expires { get; init; }
    }

    [JsonSerializable(typeof(WireBody), TypeInfoPropertyName = "WireBody")]
    [JsonSerializable(typeof(WireReply), TypeInfoPropertyName = "WireReply")]
    sealed partial class CreateServiceAccountJson : JsonSerializerContext;
}

public sealed partial class MixpanelClient
{
    /// <summary>Creates a service account in an organization. Its secret is shown once and cannot be read again.</summary>
    /// <remarks>The service account of the call must be an owner or admin of the organization.</remarks>
    /// <example>{"username":"nightly-import","role":"analyst","projects":[1],"expires":"2031-01-31"}</example>
    /// <param name="input">The service account to create.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="MixpanelException">The input is invalid, or Mixpanel failed or refused the call.</exception>
    public ValueTask<CreateServiceAccountOutput> CreateServiceAccountAsync(CreateServiceAccountInput input, CancellationToken cancellationToken = default) =>
        InvokeAsync(ServiceAccountActions.CreateServiceAccount, input, cancellationToken);
}
