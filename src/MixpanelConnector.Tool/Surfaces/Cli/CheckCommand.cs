using System.Buffers;
using System.CommandLine;
using System.Text.Json;

namespace MixpanelConnector.Tool.Surfaces.Cli;

/// <summary>Tests the credentials against Mixpanel.</summary>
static class CheckCommand
{
    public static Command Of(HostEnvironment host)
    {
        var allRegions = new Option<bool>("--all-regions")
        {
            Description = "Try the credentials in us, eu and in, to find the project's region. This sends them to the hosts of all three.",
        };
        var command = new Command("check", "Test each configured credential on each API that accepts it. Stores nothing; uses one of the 60 queries per hour.")
        {
            allRegions,
        };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            await using var session = await Session.OpenAsync(parsed, host, needsCredential: true, cancellationToken);
            var checks = new List<CredentialCheck>();
            var options = session.Counted(new Folders(host.Environment).State);
            MixpanelOptions[] targets = parsed.GetValue(allRegions) && options.Endpoint is null
                ? [.. Enum.GetValues<MixpanelRegion>().Select(region => options with { Region = region })]
                : [options];
            foreach (var target in targets)
            {
                using var client = session.NewClient(target with { MaxRetries = 0 });
                checks.AddRange(await client.CheckAsync(cancellationToken));
            }

            new Printer(host, CommonOptions.AsTable(parsed)).Json(Write(checks));
            return Code(checks);
        });
        return command;
    }

    /// <summary>With several regions, one in which all checks pass is enough; otherwise the first failure decides.</summary>
    static int Code(List<CredentialCheck> checks) =>
        checks.GroupBy(check => check.Region, StringComparer.Ordinal).Any(region => region.All(check => check.Works))
            ? ExitCode.Success
            : ErrorTable.Row(checks.First(check => !check.Works).Error!.Kind).ExitCode;

    static ReadOnlyMemory<byte> Write(List<CredentialCheck> checks)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using var writer = new Utf8JsonWriter(buffer);
        writer.WriteStartObject();
        writer.WriteStartArray("checks");
        foreach (var check in checks) Write(writer, check);
        writer.WriteEndArray();
        writer.WriteEndObject();
        writer.Flush();
        return buffer.WrittenMemory;
    }

    public static void Write(Utf8JsonWriter writer, CredentialCheck check)
    {
        writer.WriteStartObject();
        writer.WriteString("region", check.Region);
        writer.WriteString("api", check.Api);
        writer.WriteString("credential", check.Credential);
        writer.WriteBoolean("works", check.Works);
        if (check.Error is { Field: { } field }) writer.WriteString("field", field);
        if (check.Error is { } error) writer.WriteString("error", ErrorTable.LocalMessage(error));
        writer.WriteEndObject();
    }
}
