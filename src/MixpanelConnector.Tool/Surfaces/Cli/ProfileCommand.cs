using System.Buffers;
using System.CommandLine;
using System.CommandLine.Completions;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace MixpanelConnector.Tool.Surfaces.Cli;

/// <summary>Lists, shows, selects and deletes profiles. No secret is ever shown.</summary>
static class ProfileCommand
{
    public static Command Of(HostEnvironment host) =>
        new("profile", "List, show, select and delete the profiles of settings created by mixpanel login.") { List(host), Use(host), Show(host), Delete(host) };

    /// <summary>Completes profile names for a shell; none if the file cannot be read.</summary>
    public static IEnumerable<CompletionItem> Complete(HostEnvironment host)
    {
        try
        {
            return new ProfileFile(host).Names.Select(name => new CompletionItem(name));
        }
        catch (MixpanelException)
        {
            return [];
        }
    }

    static Command List(HostEnvironment host)
    {
        var command = new Command("list", "List the profiles, marking the one in use.");
        command.SetAction(parsed => Print(parsed, host, writer =>
        {
            var file = new ProfileFile(host);
            var inUse = file.InUse;
            writer.WriteStartArray("profiles");
            foreach (var name in file.Names)
            {
                writer.WriteStartObject();
                writer.WriteString("name", name);
                writer.WriteBoolean("in_use", name == inUse);
                var values = file.Read(name).Values;
                foreach (var setting in (string[])["region", "endpoint", "project_id", "service_account_username"])
                    writer.WriteString(setting, Configuration.Shown(setting, values.GetValueOrDefault(setting)));
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
            writer.WriteString("profile_file", file.Path);
        }));
        return command;
    }

    static Command Show(HostEnvironment host)
    {
        var name = Name(host, "The profile. Default: the one in use.", ArgumentArity.ZeroOrOne);
        var command = new Command("show", "Show the settings of a profile. Secrets are masked.") { name };
        command.SetAction(parsed => Print(parsed, host, writer =>
        {
            var file = new ProfileFile(host);
            var profile = file.Read(parsed.GetValue(name) ?? parsed.GetValue(CommonOptions.Profile) ?? file.InUse);
            writer.WriteString("name", profile.Name);
            writer.WriteBoolean("in_use", profile.Name == file.InUse);
            writer.WriteStartObject("settings");
            foreach (var (setting, _) in Configuration.Names)
                if (profile.Values.TryGetValue(setting, out var value)) writer.WriteString(setting, Configuration.Shown(setting, value));
            writer.WriteEndObject();
            writer.WriteString("profile_file", file.Path);
        }));
        return command;
    }

    static Command Use(HostEnvironment host)
    {
        var name = Name(host, "The profile.", ArgumentArity.ExactlyOne);
        var command = new Command("use", "Use the settings of another profile from now on. --profile and MIXPANEL_PROFILE override it.") { name };
        command.SetAction(parsed => Print(parsed, host, writer =>
        {
            var file = new ProfileFile(host);
            file.Use(parsed.GetValue(name)!);
            if (file.InUse != parsed.GetValue(name)) host.Notes.WriteLine("mixpanel: MIXPANEL_PROFILE is set to another profile, and overrides it.");
            writer.WriteString("in_use", file.InUse);
        }));
        return command;
    }

    static Command Delete(HostEnvironment host)
    {
        var name = Name(host, "The profile.", ArgumentArity.ExactlyOne);
        var yes = new Option<bool>("--yes") { Description = "Skip the confirmation. A secret that is stored nowhere else is lost." };
        var command = new Command("delete", "Delete a profile, with its secret. The service account remains; mixpanel delete-service-account deletes it.")
        {
            name,
            yes,
        };
        command.SetAction(parsed => Print(parsed, host, writer =>
        {
            var file = new ProfileFile(host);
            var chosen = file.Read(parsed.GetValue(name)).Name;
            if (!parsed.GetValue(yes)) new Questions(host).Confirm($"The profile {chosen} and its secret will be deleted.");
            file.Delete(chosen);
            writer.WriteString("deleted", chosen);
            writer.WriteString("in_use", file.InUse);
        }));
        return command;
    }

    static Argument<string?> Name(HostEnvironment host, string description, ArgumentArity arity)
    {
        var name = new Argument<string?>("NAME") { Description = description, Arity = arity };
        name.CompletionSources.Add(_ => Complete(host));
        return name;
    }

    static int Print(ParseResult parsed, HostEnvironment host, Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            writer.WriteStartObject();
            write(writer);
            writer.WriteEndObject();
        }

        new Printer(host, CommonOptions.AsTable(parsed)).Json(buffer.WrittenMemory);
        return ExitCode.Success;
    }
}
