using System.Buffers;
using System.CommandLine;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace MixpanelConnector.Tool.Surfaces.Cli;

/// <summary>Shows each setting and where it came from, with secrets masked.</summary>
static class ConfigCommand
{
    public static Command Of(HostEnvironment host)
    {
        var command = new Command("config", "Show each setting, its value and its source. Secrets are masked.");
        command.SetAction(async (parsed, cancellationToken) =>
        {
            MixpanelException? invalid = null;
            await using var session = await OpenAsync();
            var folders = new Folders(host.Environment);
            var buffer = new ArrayBufferWriter<byte>();
            using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
            {
                writer.WriteStartObject();
                writer.WriteStartArray("settings");
                foreach (var setting in (session?.Configuration ?? Configuration.Load(CommonOptions.Given(parsed), host)).Settings)
                {
                    writer.WriteStartObject();
                    writer.WriteString("name", setting.Name);
                    writer.WriteString("value", Configuration.Shown(setting.Name, setting.Value));
                    writer.WriteString("source", setting.Source);
                    writer.WriteEndObject();
                }

                writer.WriteEndArray();
                writer.WriteString("profile_file", folders.Profiles);
                writer.WriteString("state_folder", folders.State);
                writer.WriteString("local_data", session?.LocalData ?? folders.LocalData);
                writer.WriteEndObject();
            }

            new Printer(host, CommonOptions.AsTable(parsed)).Json(buffer.WrittenMemory);
            return invalid is null ? ExitCode.Success : throw invalid;

            async Task<Session?> OpenAsync()
            {
                try
                {
                    return await Session.OpenAsync(parsed, host, needsCredential: false, cancellationToken);
                }
                catch (MixpanelException e) when (!parsed.GetValue(CommonOptions.Local) && Configuration.IsSetting(e))
                {
                    invalid = e; // after the settings, among them the invalid one
                    return null;
                }
            }
        });
        return command;
    }
}
