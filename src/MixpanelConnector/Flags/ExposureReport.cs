using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using MixpanelConnector.Tracking.Records;

namespace MixpanelConnector.Flags;

/// <summary>Reports exposures to Mixpanel through a tracker: with its outbox and its retries, and without waiting.</summary>
sealed partial class ExposureReport(IMixpanelTracker? tracker, MixpanelOptions options, bool deduplicates)
{
    readonly ExposureMemory? _memory = deduplicates ? new(options.TimeProvider) : null;
    readonly ILogger _logger = HarmlessLogger.Create(options, "MixpanelConnector.Flags");
    readonly LogLimit _nobody = new(options.TimeProvider, lines: 1);

    /// <param name="key">The key of the flag.</param>
    /// <param name="evaluation">The evaluation of the flag.</param>
    /// <param name="context">The context of the evaluation.</param>
    /// <param name="latency">The duration of Mixpanel's evaluation; null for a local evaluation.</param>
    /// <returns>Whether it was reported now.</returns>
    public bool Add(string key, FlagEvaluation evaluation, EvaluationContext context, TimeSpan? latency = null)
    {
        if (tracker is null || evaluation.VariantKey is null) return false;
        if (context.DistinctId is not { Length: > 0 } distinctId)
        {
            if (_nobody.Allows(1, out var times)) LogNobody(key, times);
            return false;
        }

        var exposure = new Exposure(context, key, evaluation);
        if (_memory?.Add(in exposure) == false) return false;
        if (Send(distinctId, key, evaluation, latency)) return true;
        _memory?.Remove(in exposure);
        return false;
    }

    bool Send(string distinctId, string key, FlagEvaluation evaluation, TimeSpan? latency)
    {
        var properties = new JsonObject
        {
            ["Experiment name"] = key,
            ["Variant name"] = evaluation.VariantKey,
            ["$experiment_type"] = "feature_flag",
            ["Flag evaluation mode"] = evaluation.Source is FlagSource.Remote ? "remote" : "local",
            ["$is_qa_tester"] = evaluation.IsTestUser,
        };
        if (evaluation.ExperimentId is { } experiment) properties["$experiment_id"] = experiment;
        if (evaluation.IsExperimentActive is { } isActive) properties["$is_experiment_active"] = isActive;
        if (latency is { } took) properties["Variant fetch latency (ms)"] = Math.Round(took.TotalMilliseconds, 3);
        try
        {
            return tracker!.Enqueue(new TrackedRecord(TrackedKind.Event, "$experiment_started", MixpanelUser.FromDistinctId(distinctId),
                Payload.Of(properties)));
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            LogFailed(key, e.GetType().Name); // thrown by a custom tracker of the application
            return false;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "A variant of the flag {Flag} was assigned to a context without distinct_id, which is not reported to Mixpanel ({Times} times)")]
    partial void LogNobody(string flag, long times);

    [LoggerMessage(Level = LogLevel.Error, Message = "The exposure of the flag {Flag} was not tracked: the tracker threw {Exception}")]
    partial void LogFailed(string flag, string exception);
}
