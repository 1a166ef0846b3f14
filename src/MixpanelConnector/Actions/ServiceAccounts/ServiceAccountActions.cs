using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using MixpanelConnector.Transport;

namespace MixpanelConnector;

/// <summary>The actions about service accounts.</summary>
static class ServiceAccountActions
{
    public static readonly ActionGroup Group = new("service-accounts", "Manage the accounts that programs log in with.", Api.App, "/api/app", options => new ServiceAccountsJson(options)) { HasEnvelope = true };

    public static readonly ActionSpec<GetAllServiceAccountsInput, GetAllServiceAccountsOutput> GetAllServiceAccounts = new(Group, "get_all_service_accounts", "list-service-accounts", Endpoint.Get("/organizations/{organization_id}/service-accounts"))
    {
        Result = accounts => Answers.Listed(accounts, "service_accounts"),
    };

    public static readonly ActionSpec<CreateServiceAccountInput, CreateServiceAccountOutput> CreateServiceAccount = new(Group, "create_service_account", "create-service-account", Endpoint.Post("/organizations/{organization_id}/service-accounts"))
    {
        Execute = MixpanelConnector.CreateServiceAccount.ExecuteAsync,
        Refused = static output => output.ServiceAccountCreated != "true",
    };
}

/// <summary>Whose accounts to retrieve.</summary>
public sealed record GetAllServiceAccountsInput
{
    /// <summary>Your organization ID.</summary>
    [Range(1, long.MaxValue)]
    public required long OrganizationId { get; init; }
}

/// <summary>The accounts.</summary>
public sealed record GetAllServiceAccountsOutput
{
    /// <summary>Total number of service accounts retrieved.</summary>
    public required int Total { get; init; }

    /// <summary>List of retrieved service accounts, as Mixpanel gives them.</summary>
    public required IReadOnlyList<ServiceAccount> ServiceAccounts { get; init; }
}

[JsonSerializable(typeof(GetAllServiceAccountsInput))]
[JsonSerializable(typeof(GetAllServiceAccountsOutput))]
[JsonSerializable(typeof(CreateServiceAccountInput))]
[JsonSerializable(typeof(CreateServiceAccountOutput))]
sealed partial class ServiceAccountsJson : JsonSerializerContext;

public sealed partial class MixpanelClient
{
    /// <summary>Retrieves all service accounts of an organization.</summary>
    /// <example>{"organization_id":1234}</example>
    /// <param name="input">Whose accounts to retrieve.</param>
    /// <param name="cancellationToken">Stops the call.</param>
    /// <exception cref="MixpanelException">The input is refused, or Mixpanel cannot do it.</exception>
    public ValueTask<GetAllServiceAccountsOutput> GetAllServiceAccountsAsync(GetAllServiceAccountsInput input, CancellationToken cancellationToken = default) =>
        InvokeAsync(ServiceAccountActions.GetAllServiceAccounts, input, cancellationToken);
}
