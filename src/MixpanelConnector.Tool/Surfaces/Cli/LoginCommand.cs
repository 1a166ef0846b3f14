using System.Buffers;
using System.CommandLine;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace MixpanelConnector.Tool.Surfaces.Cli;

/// <summary>Asks for the settings of an account, tests them, and stores them as a profile.</summary>
static class LoginCommand
{
    const int MostTries = 3;
    const string Username = "service_account_username";
    const string Token = "token";

    static readonly string[] Regions = ["us", "eu", "in"];

    /// <summary>The settings that are stored. An OAuth token is personal and short-lived: only a profile that already contains one keeps it.</summary>
    static readonly string[] Kept = [.. Configuration.Names.Select(setting => setting.Name).Where(name => name != Configuration.OAuthTokenName)];

    public static Command Of(HostEnvironment host)
    {
        var command = new DetailedCommand("login", "Ask for the settings of an account, test them, and save them as a profile that only you can read.", """
            At a terminal, prompts for the region, the service account with its secret (which is not shown), the project and its token,
            unless given by options. Elsewhere there are no prompts: the secret comes from MIXPANEL_SERVICE_ACCOUNT_SECRET or
            --secret-file, the rest from options or the environment, too. Everything is tested as by mixpanel check, and a profile is only
            written if Mixpanel accepts the credentials and knows the project. A role with too few permissions is reported, but not an error.

            Examples:
              mixpanel login
              mixpanel login --profile staging --region eu
              pass show mixpanel | mixpanel login --service-account-username robot --project-id 12345 --secret-file -
            """);
        command.SetAction((parsed, cancellationToken) => RunAsync(parsed, host, cancellationToken));
        return command;
    }

    static async Task<int> RunAsync(ParseResult parsed, HostEnvironment host, CancellationToken cancellationToken)
    {
        if (parsed.GetValue(CommonOptions.Local)) throw Configuration.Invalid("local", "--local needs no login: it can be used with every command.");
        var file = new ProfileFile(host);
        var name = parsed.GetValue(CommonOptions.Profile) ?? file.InUse;
        ProfileFile.EnsureName(name);
        var stored = file.Names.Contains(name, StringComparer.Ordinal)
            ? file.Read(name)
            : new Profile(name, new Dictionary<string, string>(StringComparer.Ordinal));
        var configuration = Configuration.Load(CommonOptions.Given(parsed), stored, host);
        var questions = new Questions(host);
        var mayAsk = questions.CanBeAsked && parsed.GetValue(CommonOptions.SecretFile) != "-";
        if (!mayAsk && !configuration.HasCredential)
            throw Configuration.Invalid(Username,
                "There is no terminal for prompts, and no credential. Set MIXPANEL_SERVICE_ACCOUNT_USERNAME, "
                + "MIXPANEL_SERVICE_ACCOUNT_SECRET (or --secret-file) and MIXPANEL_PROJECT_ID, or MIXPANEL_TOKEN.");

        HashSet<string> open = mayAsk
            ?
            [
                .. Kept.Where(setting => !configuration.SourceOf(setting).StartsWith("option ", StringComparison.Ordinal)
                    && !configuration.SourceOf(setting).StartsWith("file ", StringComparison.Ordinal)),
            ]
            : [];
        for (var tries = 1; ; tries++)
        {
            if (mayAsk) configuration = Ask(configuration, questions, open);
            var checks = await CheckAsync(VerboseLog.AddTo(configuration.ToOptions(host.TimeProvider), parsed, host), host, cancellationToken);
            if (Fault(checks) is not { } fault)
            {
                foreach (var lacking in checks.Where(check => !check.Works))
                    host.Error.WriteLine($"mixpanel: {lacking.Api}: {Printer.Clean(lacking.Error!.Message)}");
                Keep(configuration, stored, file, host);
                new Printer(host, CommonOptions.AsTable(parsed)).Json(Answer(name, file, checks));
                return ExitCode.Success;
            }

            // Ask again only for what was wrong; asking for the rest does not help.
            open = fault is { Field: "project_id" } ? ["project_id"]
                : fault.Kind is ErrorKind.Unauthorized ? ["region", Username, Configuration.SecretName, Token]
                : [];
            if (!mayAsk || open.Count == 0 || tries == MostTries)
                throw new MixpanelException(fault with { Message = $"{fault.Message} No profile was written." });
            host.Error.WriteLine($"mixpanel: {Printer.Clean(fault.Message)}");
        }
    }

    static Configuration Ask(Configuration configuration, Questions questions, HashSet<string> open)
    {
        var answers = new Dictionary<string, string>(StringComparer.Ordinal);
        if (open.Contains("region") && configuration["endpoint"] is null)
        {
            string? region;
            do region = questions.Ask("Region: us, eu or in", configuration["region"])?.ToLowerInvariant();
            while (!Regions.Contains(region, StringComparer.Ordinal));
            answers["region"] = region!;
        }

        if (open.Contains(Username)) Take(Username, questions.Ask("Service account's user name (empty: only a project token)", configuration[Username]));
        var hasAccount = (answers.GetValueOrDefault(Username) ?? configuration[Username]) is not null;
        if (open.Contains(Configuration.SecretName) && hasAccount)
        {
            var known = configuration[Configuration.SecretName] is not null && configuration.SourceOf(Configuration.SecretName) != Configuration.Answered
                && configuration[Username] == (answers.GetValueOrDefault(Username) ?? configuration[Username]);
            string? secret;
            do secret = questions.AskHidden($"Its secret (not shown{(known ? $"; empty: that of {configuration.SourceOf(Configuration.SecretName)}" : "")})");
            while (secret is null && !known);
            Take(Configuration.SecretName, secret);
        }

        if (open.Contains("project_id"))
        {
            string? project;
            do project = questions.Ask("Project id", configuration["project_id"]);
            while (hasAccount
                && !(long.TryParse(project, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var id) && id > 0));
            Take("project_id", project);
        }

        if (open.Contains(Token))
        {
            string? token;
            do token = questions.Ask($"Project token, to track{(hasAccount ? " (optional)" : "")}{(configuration[Token] is { } kept ? $" [{Configuration.Shown(Token, kept)}]" : "")}")
                ?? configuration[Token];
            while (token is null && !hasAccount);
            Take(Token, token);
        }

        return configuration.With(answers);

        void Take(string name, string? answer)
        {
            if (answer is not null) answers[name] = answer;
        }
    }

    static async Task<IReadOnlyList<CredentialCheck>> CheckAsync(MixpanelOptions options, HostEnvironment host, CancellationToken cancellationToken)
    {
        using var client = new MixpanelClient(options with { MaxRetries = 1, Ledger = new CallLedger(Session.LedgerIn(new Folders(host.Environment).State)) });
        return await client.CheckAsync(cancellationToken);
    }

    /// <summary>
    /// Why the settings are not worth storing; null if Mixpanel accepts each credential for something, and refuses nothing except for a missing role.
    /// </summary>
    static MixpanelError? Fault(IReadOnlyList<CredentialCheck> checks) =>
        checks.FirstOrDefault(check => !check.Works && (check.Error!.Kind is not ErrorKind.Forbidden || check.Error.Field is not null))?.Error
        ?? checks.GroupBy(check => check.Credential, StringComparer.Ordinal).FirstOrDefault(of => of.All(check => !check.Works))?.First().Error;

    static void Keep(Configuration configuration, Profile stored, ProfileFile file, HostEnvironment host)
    {
        var values = stored.Values.Where(setting => setting.Key == Configuration.OAuthTokenName).ToDictionary(StringComparer.Ordinal);
        foreach (var name in Kept)
            if (configuration[name] is { } value && (name != "region" || configuration["endpoint"] is null)) values[name] = value;
        file.Write(new(stored.Name, values));
        foreach (var (name, variable) in Configuration.Names)
            if (Configuration.NonEmpty(host.Environment(variable)) is { } wins && (!values.TryGetValue(name, out var kept) || kept != wins))
                host.Notes.WriteLine($"mixpanel: {variable} is set, and overrides the profile.");
        if (!file.Names.Contains(file.InUse, StringComparer.Ordinal))
        {
            file.Use(stored.Name);
            host.Notes.WriteLine($"mixpanel: the profile in use is now {stored.Name}.");
        }

        if (stored.Name != file.InUse)
            host.Notes.WriteLine($"mixpanel: the profile in use is {Printer.Clean(file.InUse)}. To change it: mixpanel profile use {stored.Name}");
    }

    static ReadOnlyMemory<byte> Answer(string name, ProfileFile file, IReadOnlyList<CredentialCheck> checks)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        writer.WriteStartObject();
        writer.WriteString("profile", name);
        writer.WriteString("profile_file", file.Path);
        writer.WriteStartArray("checks");
        foreach (var check in checks) CheckCommand.Write(writer, check);
        writer.WriteEndArray();
        writer.WriteEndObject();
        writer.Flush();
        return buffer.WrittenMemory;
    }
}
