using System.Buffers;
using System.CommandLine;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace MixpanelConnector.Tool.Surfaces.Cli;

/// <summary>Evaluates a feature flag for a person, as an application that uses the library does.</summary>
static class EvaluateFlagCommand
{
    public static Command Of(HostEnvironment host)
    {
        var key = new Argument<string>("KEY") { Description = "The key of the flag." };
        var context = new Option<string>("--context")
        {
            Description = "The evaluation context: an object with distinct_id, and device_id, groups and custom_properties if the flag needs them.",
            HelpName = "JSON|@FILE",
            Required = true,
        };
        var definitions = new Option<string>("--definitions")
        {
            Description = "A file with the definitions, as printed by get-feature-flag-definitions, to use instead of Mixpanel's. Nothing is sent.",
            HelpName = "FILE",
        };
        var remote = new Option<bool>("--remote") { Description = "Let Mixpanel evaluate the flag, which also supports cohorts." };
        var command = new Command("evaluate-flag", "Evaluate a feature flag for a context: print the variant, or why there is none. Tracks no exposure.")
        {
            key,
            context,
            definitions,
            remote,
        };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var (flag, whom) = (parsed.GetValue(key)!, EvaluationContext.FromJson(JsonArgument.ReadObject("context", parsed.GetValue(context)!, host)));
            var file = parsed.GetValue(definitions);
            if (file is not null && parsed.GetValue(remote)) throw Configuration.Invalid("definitions", "--definitions and --remote are mutually exclusive.");
            var evaluation = file is not null
                ? Evaluate(FlagSnapshot.Parse(ReadFile(file, host)), flag, whom, host)
                : await AskAsync(parsed, host, flag, whom, parsed.GetValue(remote), cancellationToken);
            if (evaluation.Error is { } error) throw new MixpanelException(error);
            new Printer(host, CommonOptions.AsTable(parsed)).Json(Write(flag, evaluation));
            return ExitCode.Success;
        });
        return command;
    }

    static async Task<FlagEvaluation> AskAsync(ParseResult parsed, HostEnvironment host, string key, EvaluationContext context, bool isRemote,
        CancellationToken cancellationToken)
    {
        await using var session = await Session.OpenAsync(parsed, host, needsCredential: true, cancellationToken);
        if (!isRemote) return Evaluate(await session.Client.FetchFlagsAsync(cancellationToken), key, context, host);
        await using var flags = new MixpanelFlags(session.Client, tracker: null, new FlagOptions { FetchesDefinitions = false });
        return await flags.EvaluateRemotelyAsync(key, context, reportExposure: false, cancellationToken);
    }

    static FlagEvaluation Evaluate(FlagSnapshot flags, string key, EvaluationContext context, HostEnvironment host)
    {
        foreach (var fault in flags.LeftOut) host.Error.WriteLine($"mixpanel: a definition is ignored: {Printer.Clean(fault)}");
        return flags.Evaluate(key, context);
    }

    static byte[] ReadFile(string path, HostEnvironment host)
    {
        try
        {
            return GivenFile.Read(path, host.Stopping);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw Configuration.Invalid("definitions", $"definitions: the file {path} cannot be read: {e.Message}");
        }
    }

    static ReadOnlyMemory<byte> Write(string key, FlagEvaluation evaluation)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        json.WriteStartObject();
        json.WriteString("flag_key", key);
        json.WriteString("variant_key", evaluation.VariantKey);
        json.WritePropertyName("variant_value");
        if (evaluation.Value is { } value) value.WriteTo(json);
        else json.WriteNullValue();
        json.WriteString("variant_source", JsonNamingPolicy.SnakeCaseLower.ConvertName(evaluation.Source.ToString()));
        json.WriteBoolean("is_enabled", evaluation.IsEnabled);
        json.WriteBoolean("is_qa_tester", evaluation.IsTestUser);
        if (evaluation.ExperimentId is { } experiment) json.WriteString("experiment_id", experiment);
        if (evaluation.IsExperimentActive is { } isActive) json.WriteBoolean("is_experiment_active", isActive);
        if (evaluation.Reason is { } reason) json.WriteString("reason", JsonNamingPolicy.SnakeCaseUpper.ConvertName(reason.ToString()));
        if (evaluation.Detail is { } detail) json.WriteString("detail", detail);
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenMemory;
    }
}
