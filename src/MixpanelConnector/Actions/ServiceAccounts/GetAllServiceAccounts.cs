using System.Text.Json;
using System.Text.Json.Serialization;
using MixpanelConnector;
using MixpanelConnector.Transport;

[assembly: Action<GetAllServiceAccounts, GetAllServiceAccounts.Input, GetAllServiceAccounts.Output>]

namespace MixpanelConnector;

/// <summary>Retrieves all service accounts of an organization.</summary>
/// <remarks>Needs a service account of the organization. See https://developer.mixpanel.com/reference/list-service-accounts.</remarks>
/// <example>{"organization_id":1234}</example>
public sealed partial class GetAllServiceAccounts : IAction<GetAllServiceAccounts.Input, GetAllServiceAccounts.Output>
{
    static readonly GetAllServiceAccountsJson Json = new(Wire.Options());
    static readonly GetAllServiceAccountsJson ReplyJson = new(Wire.ReplyOptions());

    /// <summary>Whose accounts to retrieve.</summary>
    public sealed record Input
    {
        /// <summary>Your organization ID.</summary>
        public required long OrganizationId { get; init; }
    }

    /// <summary>The accounts.</summary>
    public sealed record Output
    {
        /// <summary>Total number of service accounts retrieved.</summary>
        public required int Total { get; init; }

        /// <summary>List of retrieved service accounts, as Mixpanel gives them.</summary>
        public required IReadOnlyList<ServiceAccount> ServiceAccounts { get; init; }
    }

    /// <inheritdoc/>
    public static ActionSpec<Input, Output> Spec { get; } = new("get_all_service_accounts", Json.Input, Json.Output)
    {
        Group = "Service accounts",
        Effect = Effect.ReadOnly,
        Credential = CredentialNeed.ServiceAccount,
        Cost = RateCost.None,
    };

    /// <inheritdoc/>
    public static async ValueTask<Output> ExecuteAsync(ActionContext context, Input input, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(input);
        if (input.OrganizationId <= 0) throw MixpanelException.Invalid("organization_id", "The organization id must be a positive integer.");
        var reply = await context.Transport.SendAsync(ServiceAccountRequests.Of(HttpMethod.Get, input.OrganizationId), cancellationToken).ConfigureAwait(false);
        using var document = ReplyClassifier.ReadJson(reply, context.Options);
        try
        {
            var accounts = document.RootElement.GetProperty("results").Deserialize(ReplyJson.Accounts);
            if (accounts is null || accounts.Contains(null)) throw new JsonException("An account is missing.");
            return new Output { Total = accounts.Length, ServiceAccounts = accounts };
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new MixpanelException(new(ErrorKind.Protocol, "Mixpanel's answer is not the list of service accounts that its documentation describes.") { HttpStatus = reply.Status }, e);
        }
    }

    [JsonSerializable(typeof(Input), TypeInfoPropertyName = "Input")]
    [JsonSerializable(typeof(Output), TypeInfoPropertyName = "Output")]
    [JsonSerializable(typeof(ServiceAccount[]), TypeInfoPropertyName = "Accounts")]
    sealed partial class GetAllServiceAccountsJson : JsonSerializerContext;
}

public sealed partial class MixpanelClient
{
    /// <summary>Retrieves all service accounts of an organization.</summary>
    /// <param name="input">Whose accounts to retrieve.</param>
    /// <param name="cancellationToken">Stops the call.</param>
    /// <exception cref="MixpanelException">The input is refused, or Mixpanel cannot do it.</exception>
    public ValueTask<GetAllServiceAccounts.Output> GetAllServiceAccountsAsync(GetAllServiceAccounts.Input input, CancellationToken cancellationToken = default) =>
        InvokeAsync<GetAllServiceAccounts, GetAllServiceAccounts.Input, GetAllServiceAccounts.Output>(input, cancellationToken);
}
