using System.Text.Json;
using Microsoft.Extensions.Logging;
using MixpanelConnector.Transport;

namespace MixpanelConnector;

public sealed partial class MixpanelFlags
{
    /// <summary>Lets Mixpanel evaluate a flag. Unlike a local evaluation, it can use cohorts and sticky variants. This sends a request.</summary>
    /// <param name="key">The key of the flag.</param>
    /// <param name="context">The context to evaluate for; Mixpanel requires a <c>distinct_id</c>.</param>
    /// <param name="reportExposure">Whether to report to Mixpanel that the person has seen the variant. Default: true.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    /// <returns>The variant, or the reason why there is none: failures are not thrown.</returns>
    public async Task<FlagEvaluation> EvaluateRemotelyAsync(string key, EvaluationContext context, bool reportExposure = true,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(context);
        var began = _options.TimeProvider.GetTimestamp();
        var (all, fault) = await AskAsync(context, key, cancellationToken).ConfigureAwait(false);
        if (all is null) return new FlagEvaluation(fault!);
        var evaluation = all.GetValueOrDefault(key, FlagEvaluation.NotFound);
        if (reportExposure) _exposures.Add(key, evaluation, context, _options.TimeProvider.GetElapsedTime(began));
        return evaluation;
    }

    /// <summary>Lets Mixpanel evaluate all flags. No exposure is reported.</summary>
    /// <param name="context">The context to evaluate for; Mixpanel requires a <c>distinct_id</c>.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    /// <returns>The flags that have a variant for the context, by key; null after a failure, which is logged.</returns>
    public async Task<IReadOnlyDictionary<string, FlagEvaluation>?> EvaluateAllRemotelyAsync(EvaluationContext context,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(context);
        return (await AskAsync(context, key: null, cancellationToken).ConfigureAwait(false)).All;
    }

    async Task<(Dictionary<string, FlagEvaluation>? All, MixpanelError? Fault)> AskAsync(EvaluationContext context, string? key,
        CancellationToken cancellationToken)
    {
        var reply = await _requests.AssignmentsAsync(context, key, cancellationToken).ConfigureAwait(false);
        if (reply is { Failure: null, Status: 200 } && Read(reply.Body) is { } all) return (all, null);
        var error = reply is { Failure: null, Status: 200 }
            ? reply.Error(ErrorKind.Protocol, "The response contains no flag variants. Check the endpoint and the region.")
            : ReplyClassifier.ErrorOf(reply, _options);
        if (_failures.Allows(1, out var times)) LogAskFailed(error.Message, times);
        return (null, error);
    }

    /// <summary>Reads the variants of an answer such as <c>{"code":200,"flags":{…}}</c>; returns null when it is not one.</summary>
    static Dictionary<string, FlagEvaluation>? Read(ReadOnlyMemory<byte> answer)
    {
        try
        {
            using var json = JsonDocument.Parse(answer);
            if (json.RootElement.ValueKind is not JsonValueKind.Object || !json.RootElement.TryGetProperty("flags", out var flags)
                || flags.ValueKind is not JsonValueKind.Object)
                return null;
            var all = new Dictionary<string, FlagEvaluation>(StringComparer.Ordinal);
            foreach (var flag in flags.EnumerateObject())
            {
                if (flag.Value.ValueKind is not JsonValueKind.Object || Text(flag.Value, "variant_key") is not { } variant) continue;
                var value = flag.Value.TryGetProperty("variant_value", out var given) ? given.Clone() : JsonElement.Parse("null");
                all[flag.Name] = new FlagEvaluation(flag.Name, variant, value, Text(flag.Value, "experiment_id"), Flag(flag.Value, "is_experiment_active"),
                    Flag(flag.Value, "is_qa_tester") == true, FlagSource.Remote);
            }

            return all;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    static string? Text(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.String ? value.GetString() : null;

    static bool? Flag(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : null;

    [LoggerMessage(Level = LogLevel.Warning, Message = "Mixpanel did not evaluate flags ({Times} times): {Reason}")]
    partial void LogAskFailed(string reason, long times);
}
