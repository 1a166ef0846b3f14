using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using MixpanelConnector.Transport;

namespace MixpanelConnector;

/// <summary>The service account to replace, and its replacement.</summary>
public sealed record RotateServiceAccountInput
{
    /// <summary>The id of the account to replace.</summary>
    public required long Id { get; init; }

    /// <summary>The organization. Default: the configured one, else the only one the credential can see.</summary>
    public long? OrganizationId { get; init; }

    /// <summary>The user name of the new account. Default: that of the old one, with the date and time.</summary>
    public string? Username { get; init; }

    /// <summary>
    /// The role of the new account in the organization: owner, admin, analyst or consumer. Default: that of the old one if Mixpanel reports it, which it does
    /// only for the account that signs in; else Mixpanel's own.
    /// </summary>
    public string? Role { get; init; }

    /// <summary>
    /// When the new account expires, as for <see cref="CreateServiceAccountInput.Expires"/>, or <c>never</c>. Required if the old one expires. Default: never.
    /// </summary>
    public string? Expires { get; init; }

    /// <summary>The projects that the new account joins. Default: those of the old one, with its roles there, as far as the credential can see them.</summary>
    public IReadOnlyList<ProjectRole>? Projects { get; init; }
}

/// <summary>The result of a rotation.</summary>
public sealed record RotateServiceAccountOutput
{
    /// <summary>The new account, with its secret.</summary>
    public required CreateServiceAccountOutput Created { get; init; }

    /// <summary>The old account.</summary>
    public required ServiceAccount Old { get; init; }

    /// <summary>The projects that the new account has joined.</summary>
    public required IReadOnlyList<ProjectRole> Projects { get; init; }

    /// <summary>Why the old account could not be deleted: then both work, and the old one must be deleted manually. Null when it was deleted.</summary>
    public MixpanelError? NotDeleted { get; init; }
}

public sealed partial class MixpanelClient
{
    const int MostProofs = 5;

    /// <summary>
    /// Replaces a service account with a new one, because the secret of an account cannot be changed. The new account is created, passed to
    /// <paramref name="keep"/>, and used to sign in; then the old one is deleted. When a step before that fails, the new account is deleted again and the old
    /// one stays. The error reports this, or what is left if the deletion also failed.
    /// </summary>
    /// <param name="input">The account to replace, and its replacement.</param>
    /// <param name="keep">Receives the old account and the new one, and stores the new one's secret before the old account is deleted. An exception from it
    /// rolls the rotation back.</param>
    /// <param name="cancellationToken">Cancels the rotation before the new account is created; from then on it is completed.</param>
    /// <exception cref="MixpanelException">The account was not replaced; the message reports what is left.</exception>
    public async Task<RotateServiceAccountOutput> RotateServiceAccountAsync(RotateServiceAccountInput input,
        Func<ServiceAccount, CreateServiceAccountOutput, Task> keep, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(keep);
        var organization = input.OrganizationId
            ?? await CredentialScope.OrganizationAsync(ServiceAccountActions.GetServiceAccount.Context(this), cancellationToken).ConfigureAwait(false);
        var old = await GetServiceAccountAsync(new() { Id = input.Id, OrganizationId = organization }, cancellationToken).ConfigureAwait(false);
        if (old.Expires is not null && input.Expires is null)
            throw MixpanelException.Invalid("expires", "The old account expires. Specify when the new one does, such as 30d, or never. Nothing was changed.");
        var me = await MeAsync(Transport, cancellationToken).ConfigureAwait(false);
        var projects = input.Projects ?? await ProjectsOfAsync(old, me, cancellationToken).ConfigureAwait(false);
        var isOwn = Options.ServiceAccount?.Username == old.Username;

        var created = await CreateServiceAccountAsync(new()
        {
            OrganizationId = organization,
            Username = input.Username ?? NextName(old.Username, Options.TimeProvider.GetUtcNow()),
            Role = input.Role ?? (isOwn ? ProjectsSeen.RoleOf(me, "organizations", organization) : null),
            Expires = input.Expires is "never" ? null : input.Expires,
            Projects = projects,
        }, cancellationToken).ConfigureAwait(false);
        if (created.ServiceAccountCreated != "true")
            throw new MixpanelException(new(ErrorKind.Rejected, $"{created.Error} The new account was not created; the old one is unchanged."));

        var transport = Transport.With(Options with { ServiceAccount = new(created.Username!, created.Secret!) });
        try
        {
            await keep(old, created).ConfigureAwait(false);
            await ProveAsync(transport).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            var left = await UndoAsync(created, organization).ConfigureAwait(false);
            var error = e is MixpanelException { Error: var known }
                ? known
                : new MixpanelError(ErrorKind.InvalidInput, $"The new secret could not be saved: {(e.InnerException ?? e).Message}");
            throw new MixpanelException(error with { Message = $"{error.Message} {left} The old account {old.Username} is unchanged." }, e);
        }

        // Signs in as the new account if it replaces the one that signs in: this proves that it has the same permissions.
        var deletion = ServiceAccountActions.DeleteServiceAccount;
        var context = new ActionContext(isOwn ? transport : Transport, deletion, deletion.Endpoint);
        try
        {
            await deletion.InvokeAsync(context, new ServiceAccountId { Id = old.Id, OrganizationId = organization }, isChecked: false,
                CancellationToken.None).ConfigureAwait(false);
            return new() { Created = created, Old = old, Projects = projects };
        }
        catch (MixpanelException e)
        {
            return new()
            {
                Created = created,
                Old = old,
                Projects = projects,
                NotDeleted = e.Error with
                {
                    Message = $"{e.Error.Message} The new account works, but the old account {old.Username} was apparently not deleted: "
                        + $"delete it by calling delete_service_account with the id {old.Id}.",
                },
            };
        }
    }

    /// <summary>Signs in with a new account, with retries until every server knows it.</summary>
    async Task ProveAsync(MixpanelTransport transport)
    {
        for (var tries = 1; ; tries++)
        {
            try
            {
                await MeAsync(transport, CancellationToken.None).ConfigureAwait(false);
                return;
            }
            catch (MixpanelException e) when (e.Error.Kind is ErrorKind.Unauthorized && tries < MostProofs)
            {
                await Task.Delay(Backoff.Delay(tries, Options.BackoffMin, Options.BackoffMax, retryAfter: null, Options.Randomizer()), Options.TimeProvider,
                    CancellationToken.None).ConfigureAwait(false);
            }
            catch (MixpanelException e)
            {
                throw new MixpanelException(e.Error with { Message = $"The new account was created, but signing in with it failed: {e.Error.Message}" }, e);
            }
        }
    }

    async Task<string> UndoAsync(CreateServiceAccountOutput created, long organization)
    {
        try
        {
            await DeleteServiceAccountAsync(new() { Id = long.Parse(created.Id!, CultureInfo.InvariantCulture), OrganizationId = organization },
                CancellationToken.None).ConfigureAwait(false);
            return "The new account was deleted again.";
        }
        catch (Exception e) when (e is MixpanelException or FormatException or OverflowException)
        {
            return $"The new account {created.Username}, id {created.Id}, could not be deleted: delete it with delete_service_account.";
        }
    }

    static async Task<JsonElement> MeAsync(MixpanelTransport transport, CancellationToken cancellationToken)
    {
        var reply = await transport.SendAsync(new(HttpMethod.Get, Api.App, "/api/app/me", AuthScheme.ServiceAccount), cancellationToken).ConfigureAwait(false);
        using var document = ReplyClassifier.ReadJson(reply, transport.Options);
        return document.RootElement.Clone();
    }

    /// <summary>Mixpanel lists the members of a project, not the projects of a member.</summary>
    async Task<IReadOnlyList<ProjectRole>> ProjectsOfAsync(ServiceAccount account, JsonElement me, CancellationToken cancellationToken)
    {
        var joined = new List<ProjectRole>();
        foreach (var project in ProjectsSeen.Ids(me, "projects"))
        {
            try
            {
                var members = await ListProjectServiceAccountsAsync(new() { ProjectId = project }, cancellationToken).ConfigureAwait(false);
                if (members.Results.FirstOrDefault(member => member.Id == account.Id) is { } member)
                    joined.Add(new()
                    {
                        Id = project,
                        Role = member.Other.TryGetValue("role", out var role) && role.ValueKind is JsonValueKind.String
                            ? role.GetString()
                            : throw MixpanelException.Invalid("projects",
                                $"Mixpanel does not report the account's role in the project {project}. Specify the new account's projects and roles. "
                                + $"Nothing was changed."),
                    });
            }
            catch (MixpanelException e) when (e.Error.Kind is ErrorKind.Forbidden or ErrorKind.NotFound)
            {
                throw new MixpanelException(
                    e.Error with
                    {
                        Field = "projects",
                        Message = $"These credentials cannot list the members of the project {project}: {e.Error.Message} Specify the new account's projects "
                            + $"and roles. Nothing was changed.",
                    },
                    e);
            }
        }

        return joined;
    }

    /// <summary>Returns the old name, without suffixes added by Mixpanel or an earlier rotation, and with the time.</summary>
    static string NextName(string old, DateTimeOffset now) =>
        string.Create(CultureInfo.InvariantCulture, $"{AddedToNames().Replace(old, "")}-{now:yyyyMMdd-HHmmss}");

    [GeneratedRegex(@"(-\d{8}-\d{6})?(\.[0-9a-f]+\.mp-service-account)?$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 1000)]
    private static partial Regex AddedToNames();
}
