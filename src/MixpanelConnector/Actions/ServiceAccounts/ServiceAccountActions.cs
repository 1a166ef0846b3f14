using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Text.Json.Serialization;
using MixpanelConnector.Transport;

namespace MixpanelConnector;

/// <summary>The actions for service accounts.</summary>
static class ServiceAccountActions
{
    public static readonly ActionGroup Group = new("service-accounts", "Manage the accounts that programs authenticate with.", Api.App, "/api/app",
        options => new ServiceAccountsJson(options))
    { HasEnvelope = true, Keywords = "credential robot key login permission role" };

    public static readonly ActionSpec<GetAllServiceAccountsInput, GetAllServiceAccountsOutput> GetAllServiceAccounts = new(Group, "get_all_service_accounts",
        "list-service-accounts", Endpoint.Get("/organizations/{organization_id}/service-accounts") with { OwnFields = ["expiring_within"] })
    {
        Common = true,
        Then = (context, input, output, _) => ValueTask.FromResult(Within(input.ExpiringWithin) is { } length
            ? Only(output, context.Options.TimeProvider.GetUtcNow(), length)
            : output),
        Result = accounts => Answers.Listed(accounts, "service_accounts"),
    };

    public static readonly ActionSpec<CreateServiceAccountInput, CreateServiceAccountOutput> CreateServiceAccount = new(Group, "create_service_account",
        "create-service-account", Endpoint.Post("/organizations/{organization_id}/service-accounts"))
    {
        Common = true,
        Execute = MixpanelConnector.CreateServiceAccount.ExecuteAsync,
        Refused = static output => output.ServiceAccountCreated != "true",
    };

    public static readonly ActionSpec<ServiceAccountId, ServiceAccount> GetServiceAccount =
        new(Group, "get_service_account", "get-service-account", Endpoint.Get("/organizations/{organization_id}/service-accounts/{service_account_id}"));

    public static readonly ActionSpec<ServiceAccountId, StatusOutput> DeleteServiceAccount = new(Group, "delete_service_account", "delete-service-account",
        Endpoint.Delete("/organizations/{organization_id}/service-accounts/{service_account_id}"))
    {
        SafeToRepeat = "a deleted account stays deleted",
        Gone = _ => StatusOutput.Ok,
    };

    public static readonly ActionSpec<ListProjectServiceAccountsInput, ResultList<ServiceAccount>> ListProjectServiceAccounts = new(Group,
        "list_project_service_accounts", "list-project-service-accounts",
        Endpoint.Get("/projects/{project_id}/service-accounts") with { OwnFields = ["expiring_within"] })
    {
        Then = (context, input, output, _) => ValueTask.FromResult(Within(input.ExpiringWithin) is { } length
            ? Only(output, context.Options.TimeProvider.GetUtcNow(), length)
            : output),
    };

    public static readonly ActionSpec<AddServiceAccountsToProjectsInput, StatusOutput> AddServiceAccountsToProjects = new(Group,
        "add_service_accounts_to_projects", "add-service-accounts-to-projects",
        Endpoint.Post("/organizations/{organization_id}/service-accounts/add-to-project"))
    { Does = ActionEffect.Update, SafeToRepeat = "the role is set" };

    public static readonly ActionSpec<RemoveServiceAccountsFromProjectsInput, StatusOutput> RemoveServiceAccountsFromProjects = new(Group,
        "remove_service_accounts_from_projects", "remove-service-accounts-from-projects",
        Endpoint.Post("/organizations/{organization_id}/service-accounts/remove-from-project"))
    {
        Does = ActionEffect.Update,
        SafeToRepeat = "a removed account stays removed",
    };

    static TimeSpan? Within(string? text) =>
        text is null
            ? null
            : LengthOfTime.Parse(text.Trim()) ?? TimeSpan.MaxValue; // longer than any account lives

    static GetAllServiceAccountsOutput Only(GetAllServiceAccountsOutput all, DateTimeOffset now, TimeSpan length)
    {
        var accounts = Expiring(all.ServiceAccounts, now, length);
        return new() { ServiceAccounts = accounts, Total = accounts.Length };
    }

    static ResultList<ServiceAccount> Only(ResultList<ServiceAccount> all, DateTimeOffset now, TimeSpan length)
    {
        var accounts = Expiring(all.Results, now, length);
        return new() { Results = accounts, Total = accounts.Length };
    }

    /// <summary>Returns the accounts that expire soon or have expired, soonest first. An expiry that cannot be parsed is included, not skipped.</summary>
    static ServiceAccount[] Expiring(IEnumerable<ServiceAccount> accounts, DateTimeOffset now, TimeSpan length) =>
        [
            .. accounts.Where(account => account.Expires is not null)
                .Select(account => (account, When(account)))
                .Where(pair => length >= DateTimeOffset.MaxValue - now || pair.Item2 <= now + length)
                .OrderBy(pair => pair.Item2)
                .Select(pair => pair.account),
        ];

    static DateTimeOffset When(ServiceAccount account) =>
        DateTimeOffset.TryParse(account.Expires, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : DateTimeOffset.MinValue;
}

/// <summary>The organization whose accounts to retrieve.</summary>
public sealed record GetAllServiceAccountsInput
{
    /// <summary>Your organization ID.</summary>
    [Range(1, long.MaxValue)]
    public required long OrganizationId { get; init; }

    /// <summary>
    /// Only accounts that expire within a time from now, in hours, days or weeks, such as 12h, 14d or 4w, and expired ones; soonest first. Default: all.
    /// </summary>
    [RegularExpression(TextForms.Duration)]
    public string? ExpiringWithin { get; init; }
}

/// <summary>The accounts.</summary>
public sealed record GetAllServiceAccountsOutput
{
    /// <summary>Total number of service accounts retrieved.</summary>
    public required int Total { get; init; }

    /// <summary>List of retrieved service accounts, as Mixpanel returns them.</summary>
    public required IReadOnlyList<ServiceAccount> ServiceAccounts { get; init; }
}

/// <summary>The common input of actions in an organization.</summary>
public abstract record OrganizationInput
{
    private protected OrganizationInput() { }

    /// <summary>The organization. Default: the configured one, else the only one the credential can see.</summary>
    [Range(1, long.MaxValue)]
    public long? OrganizationId { get; init; }
}

/// <summary>Identifies a service account.</summary>
public sealed record ServiceAccountId : OrganizationInput
{
    /// <summary>The id of the service account.</summary>
    [JsonPropertyName("service_account_id")]
    [Range(1, long.MaxValue)]
    public required long Id { get; init; }
}

/// <summary>The project whose service accounts to list.</summary>
public sealed record ListProjectServiceAccountsInput
{
    /// <summary>The project. Default: the configured one.</summary>
    [Range(1, long.MaxValue)]
    public long? ProjectId { get; init; }

    /// <summary>
    /// Only accounts that expire within a time from now, in hours, days or weeks, such as 12h, 14d or 4w, and expired ones; soonest first. Default: all.
    /// </summary>
    [RegularExpression(TextForms.Duration)]
    public string? ExpiringWithin { get; init; }
}

/// <summary>Service accounts, and the projects they join.</summary>
public sealed record AddServiceAccountsToProjectsInput : OrganizationInput
{
    /// <summary>The projects, each with the role of the accounts in it.</summary>
    [Size(1)]
    public required IReadOnlyList<RoleInProject> Projects { get; init; }

    /// <summary>The ids of the service accounts.</summary>
    [Size(1)]
    [ItemRange(1)]
    public required IReadOnlyList<long> ServiceAccountIds { get; init; }
}

/// <summary>A project, and a role in it.</summary>
public sealed record RoleInProject
{
    /// <summary>The id of the project.</summary>
    [Range(1, long.MaxValue)]
    public required long Id { get; init; }

    /// <summary>The role: owner, admin, analyst or consumer.</summary>
    [AccountRole]
    public required string Role { get; init; }
}

/// <summary>Service accounts, and the projects they leave.</summary>
public sealed record RemoveServiceAccountsFromProjectsInput : OrganizationInput
{
    /// <summary>The projects, each with the accounts that leave it.</summary>
    [Size(1)]
    public required IReadOnlyList<AccountsOfProject> Projects { get; init; }
}

/// <summary>A project, and some of its accounts.</summary>
public sealed record AccountsOfProject
{
    /// <summary>The id of the project.</summary>
    [Range(1, long.MaxValue)]
    public required long Id { get; init; }

    /// <summary>The ids of the service accounts.</summary>
    [Size(1)]
    [ItemRange(1)]
    public required IReadOnlyList<long> ServiceAccountIds { get; init; }
}

[JsonSerializable(typeof(ServiceAccountId))]
[JsonSerializable(typeof(ServiceAccount))]
[JsonSerializable(typeof(ResultList<ServiceAccount>))]
[JsonSerializable(typeof(ListProjectServiceAccountsInput))]
[JsonSerializable(typeof(AddServiceAccountsToProjectsInput))]
[JsonSerializable(typeof(RemoveServiceAccountsFromProjectsInput))]
[JsonSerializable(typeof(StatusOutput))]
[JsonSerializable(typeof(GetAllServiceAccountsInput))]
[JsonSerializable(typeof(GetAllServiceAccountsOutput))]
[JsonSerializable(typeof(CreateServiceAccountInput))]
[JsonSerializable(typeof(CreateServiceAccountOutput))]
sealed partial class ServiceAccountsJson : JsonSerializerContext;

public sealed partial class MixpanelClient
{
    /// <summary>Retrieves all service accounts of an organization.</summary>
    /// <example>{"organization_id":1}</example>
    /// <param name="input">The organization whose accounts to retrieve.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="MixpanelException">The input is invalid, or Mixpanel failed or refused the call.</exception>
    public ValueTask<GetAllServiceAccountsOutput> GetAllServiceAccountsAsync(GetAllServiceAccountsInput input, CancellationToken cancellationToken = default) =>
        InvokeAsync(ServiceAccountActions.GetAllServiceAccounts, input, cancellationToken);

    /// <summary>Retrieves a service account.</summary>
    /// <example>{"service_account_id":2}</example>
    public ValueTask<ServiceAccount> GetServiceAccountAsync(ServiceAccountId input, CancellationToken cancellationToken = default) =>
        InvokeAsync(ServiceAccountActions.GetServiceAccount, input, cancellationToken);

    /// <summary>Deletes a service account, and removes it from all projects.</summary>
    /// <example>{"service_account_id":2}</example>
    public ValueTask<StatusOutput> DeleteServiceAccountAsync(ServiceAccountId input, CancellationToken cancellationToken = default) =>
        InvokeAsync(ServiceAccountActions.DeleteServiceAccount, input, cancellationToken);

    /// <summary>Lists the service accounts of a project.</summary>
    /// <example>{}</example>
    public ValueTask<ResultList<ServiceAccount>> ListProjectServiceAccountsAsync(ListProjectServiceAccountsInput? input = null,
        CancellationToken cancellationToken = default) => InvokeAsync(ServiceAccountActions.ListProjectServiceAccounts, input ?? new(), cancellationToken);

    /// <summary>Adds service accounts to projects, with a role.</summary>
    /// <example>{"projects":[{"id":1,"role":"analyst"}],"service_account_ids":[2]}</example>
    public ValueTask<StatusOutput> AddServiceAccountsToProjectsAsync(AddServiceAccountsToProjectsInput input, CancellationToken cancellationToken = default) =>
        InvokeAsync(ServiceAccountActions.AddServiceAccountsToProjects, input, cancellationToken);

    /// <summary>Removes service accounts from projects.</summary>
    /// <example>{"projects":[{"id":1,"service_account_ids":[2]}]}</example>
    public ValueTask<StatusOutput> RemoveServiceAccountsFromProjectsAsync(RemoveServiceAccountsFromProjectsInput input,
        CancellationToken cancellationToken = default) =>
        InvokeAsync(ServiceAccountActions.RemoveServiceAccountsFromProjects, input, cancellationToken);
}
