using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace MixpanelConnector.Tool.Surfaces.Cli;

/// <summary>Replaces a service account by a new one.</summary>
static class RotateCommand
{
    public static Command Of(HostEnvironment host)
    {
        var id = new NumberOption<long>("--service-account-id", 1, long.MaxValue)
        {
            Description = "The account to replace: mixpanel get-all-service-accounts lists them.",
            HelpName = "INTEGER",
            Required = true,
        };
        var username = new Option<string>("--username")
        {
            Description = "The user name of the new account. Default: the old one with the date and time.",
            HelpName = "TEXT",
        };
        var role = new Option<string>("--role")
        {
            Description = "The role of the new account in the organization. Default: the old one if the account replaces itself, "
                + "otherwise Mixpanel's default, since Mixpanel does not return roles of other accounts.",
            HelpName = "owner|admin|analyst|consumer",
        };
        role.AcceptOnlyFromAmong("owner", "admin", "analyst", "consumer");
        var expires = new Option<string>("--expires")
        {
            Description = "When the new account expires: a date, a duration from now such as 30d, or never. Required if the old one expires. Default: never.",
            HelpName = "DATE|30d|never",
        };
        var projects = new Option<string>("--projects")
        {
            Description = "The projects of the new account, as for create-service-account. Default: those of the old one, with its roles there.",
            HelpName = "JSON|@FILE|@-",
        };
        var yes = new Option<bool>("--yes") { Description = "Skip the confirmation. The old account and its secret stop working." };
        var command = new DetailedCommand("rotate-service-account",
            "Replace a service account with a new one: create it, test its secret, then delete the old one.", """
            Mixpanel cannot change a secret, so the account is replaced: the new one joins the same projects, its secret is stored where
            you specify, a sign-in with it is tested, and then the old one is deleted. If a step fails, the new one is deleted and the old
            one remains. If the old one cannot be deleted, both work: the output says so, and the exit code is 3. If the profile that this
            command uses contains the old account, it is updated to the new one; other profiles need mixpanel login.

            Examples:
              mixpanel rotate-service-account --service-account-id 7 --secret-out new.secret
              mixpanel get-all-service-accounts --organization-id 1 --expiring-within 14d
            """) { id, username, role, expires, projects, yes };
        var handover = SecretHandover.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var prepared = handover.Prepare(parsed);
            await using var session = await Session.OpenAsync(parsed, host, needsCredential: true, cancellationToken);
            var input = new RotateServiceAccountInput
            {
                Id = parsed.GetValue(id),
                Username = parsed.GetValue(username),
                Role = parsed.GetValue(role),
                Expires = parsed.GetValue(expires),
                Projects = parsed.GetValue(projects) is { } text ? Projects(JsonArgument.Read("projects", text, type: null, host)) : null,
            };
            if (!parsed.GetValue(yes)) new Questions(host).Confirm("The old account will be deleted; all its users need the new account and secret.");
            var json = new JsonObject();
            var file = new ProfileFile(host);
            Profile? changed = null;
            RotateServiceAccountOutput rotated;
            try
            {
                rotated = await session.Client.RotateServiceAccountAsync(input, (old, created) =>
                {
                    (json["id"], json["username"], json["expires"]) = (created.Id, created.Username, created.Expires);
                    var secret = prepared.Deliver(json, "secret", created.Secret!);
                    if (session.Configuration.ProfileOf(Configuration.SecretName) is { } name
                        && session.Configuration["service_account_username"] == old.Username)
                    {
                        changed = file.Read(name);
                        file.Write(changed with
                        {
                            Values = new Dictionary<string, string>(changed.Values, StringComparer.Ordinal)
                            {
                                ["service_account_username"] = created.Username!,
                                [Configuration.SecretName] = secret,
                            },
                        });
                    }

                    return Task.CompletedTask;
                }, cancellationToken);
            }
            catch
            {
                prepared.TakeBack();
                if (changed is not null) PutBack(file, changed, host);
                throw;
            }

            json["service_account_rotated"] = rotated.NotDeleted is null ? "true" : "false";
            json["projects"] = new JsonArray([.. rotated.Projects.Select(project => new JsonObject { ["id"] = project.Id, ["role"] = project.Role })]);
            json["old"] = new JsonObject { ["id"] = rotated.Old.Id, ["username"] = rotated.Old.Username, ["deleted"] = rotated.NotDeleted is null };
            if (changed is not null) json["profile"] = changed.Name;
            if (rotated.NotDeleted is { } error) json["error"] = error.Message;
            try
            {
                new Printer(host, CommonOptions.AsTable(parsed)).Json(JsonSerializer.SerializeToUtf8Bytes(json, CliJson.Default.JsonObject));
            }
            catch (IOException e) when (prepared.IsPrinted)
            {
                throw new IOException($"{e.Message} The account was replaced by {rotated.Created.Username}, whose secret is lost: create another account.", e);
            }

            return rotated.NotDeleted is null ? ExitCode.Success : ExitCode.Refused;
        });
        return command;
    }

    static List<ProjectRole> Projects(JsonElement given)
    {
        if (given.ValueKind is not JsonValueKind.Array)
            throw Configuration.Invalid("projects", "projects: must be a JSON array of ids, or of objects of id and role.");
        return
        [
            .. given.EnumerateArray().Select((project, index) =>
                new ProjectRole
                {
                    Id = Id(project.ValueKind is JsonValueKind.Object && project.TryGetProperty("id", out var id) ? id : project, index),
                    Role = project.ValueKind is JsonValueKind.Object && project.TryGetProperty("role", out var role) && role.ValueKind is JsonValueKind.String
                        ? role.GetString()
                        : null,
                }),
        ];

        static long Id(JsonElement id, int index) =>
            id.ValueKind is JsonValueKind.Number && id.TryGetInt64(out var number)
                ? number
                : throw Configuration.Invalid($"projects[{index}]",
                    $"projects[{index}]: must be a project id, a positive integer, or an object of id and role.");
    }

    /// <summary>Restores the previous profile: its account still works, and the new one is gone.</summary>
    static void PutBack(ProfileFile file, Profile changed, HostEnvironment host)
    {
        try
        {
            file.Write(changed);
        }
        catch (Exception e) when (e is MixpanelException or IOException or UnauthorizedAccessException)
        {
            host.Error.WriteLine($"mixpanel: the profile {Printer.Clean(changed.Name)} could not be restored, and contains the new account, "
                + $"which was deleted: {Printer.Clean(e.Message)} Run mixpanel login with the old account.");
        }
    }
}
