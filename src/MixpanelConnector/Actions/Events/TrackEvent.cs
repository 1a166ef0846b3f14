using System.Buffers;
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using MixpanelConnector.Transport;

namespace MixpanelConnector;

/// <summary>The event to track.</summary>
public sealed record TrackEventInput
{
    /// <summary>The default of <see cref="ProjectId"/>, which stands for the configured project.</summary>
    public const string ConfiguredProject = TextForms.ConfiguredProject;

    /// <summary>
    /// When set to "1" (recommended), Mixpanel validates the event and reports why it failed; "0": it silently drops an invalid event. "true" and "false" mean
    /// the same.
    /// </summary>
    [AllowedValues("1", "0", "true", "false")]
    [DefaultValue("1")]
    public string Strict { get; init; } = "1";

    /// <summary>
    /// The Mixpanel project_id, used with service account credentials; a project token already implies its project. The default stands for the configured
    /// project.
    /// </summary>
    [DefaultValue(ConfiguredProject)]
    [RegularExpression(TextForms.IdOrConfigured)]
    public string ProjectId { get; init; } = ConfiguredProject;

    /// <summary>Name of the event.</summary>
    [Size(1)]
    public required string Event { get; init; }

    /// <summary>The properties of the event: time, distinct_id, $insert_id and any others.</summary>
    public required EventProperties Properties { get; init; }
}

/// <summary>Whether it was tracked.</summary>
public sealed record TrackEventOutput
{
    /// <summary>1 for success, 0 for failure.</summary>
    public required int Status { get; init; }

    /// <summary>Error message if the event was refused.</summary>
    public string? Error { get; init; }
}

/// <summary>How <see cref="MixpanelClient.TrackEventAsync(TrackEventInput, CancellationToken)"/> is implemented.</summary>
static class TrackEvent
{
    public static async ValueTask<TrackEventOutput> ExecuteAsync(ActionContext context, TrackEventInput input, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(input);
        var strict = EventJson.Strict(context, input.Strict);
        var project = Project(input.ProjectId);
        var properties = input.Properties.ToJsonObject();

        return context.Options.ServiceAccount is null && context.Options.Token is { } token
            ? await SendToTrackAsync(context, input, properties, strict, token, cancellationToken).ConfigureAwait(false)
            : await SendToImportAsync(context, input, properties, strict, project, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Sends to <c>/import</c>, the only endpoint where strict and project_id work as documented.</summary>
    static async Task<TrackEventOutput> SendToImportAsync(ActionContext context, TrackEventInput input, JsonObject properties, string strict, long? project,
        CancellationToken cancellationToken)
    {
        var request = context.Request().With("strict", strict) with
        {
            Auth = AuthScheme.ServiceAccountOfProject, // with only a token, the event is sent to /track
            ProjectId = project,
            Body = EventJson.Array(Written(input.Event, properties).Span),
        };
        var reply = await context.Transport.SendAsync(request, cancellationToken).ConfigureAwait(false);
        var verdict = ReplyClassifier.ReadImport(reply, 1, context.Options);
        return verdict.Kind switch
        {
            VerdictKind.Accepted => new TrackEventOutput { Status = 1 },
            VerdictKind.Partial => new TrackEventOutput { Status = 0, Error = verdict.Failed[0].Message },
            VerdictKind.Ambiguous or VerdictKind.Miscounted or VerdictKind.TooLarge => new TrackEventOutput { Status = 0, Error = verdict.Error!.Message },
            _ => throw new MixpanelException(verdict.Error!),
        };
    }

    /// <summary>Sends to <c>/track</c>. It answers 1 to everything it can parse, so events that it would silently drop are refused here.</summary>
    static async Task<TrackEventOutput> SendToTrackAsync(ActionContext context, TrackEventInput input, JsonObject properties, string strict, string token,
        CancellationToken cancellationToken)
    {
        if (properties["token"] is { } own && own.ToJsonString() != JsonValue.Create(token).ToJsonString())
            throw MixpanelException.Invalid("properties.token", "The event has a project token other than the configured one.");
        properties["token"] = token;
        var written = Written(input.Event, properties);
        if (TrackRules.Fault(written.Span, input.Properties.Time, strict == "1", context.Options.TimeProvider.GetUtcNow()) is { } fault)
            return new TrackEventOutput { Status = 0, Error = fault };

        var request = context.Request("/track").With("verbose", "1").With("ip", "0") with
        {
            Auth = AuthScheme.ProjectToken,
            Body = EventJson.Array(written.Span),
        };
        var reply = await context.Transport.SendAsync(request, cancellationToken).ConfigureAwait(false);
        var error = ReplyClassifier.ReadAcknowledgement(reply, context.Options);
        if (error is null) return new TrackEventOutput { Status = 1 };
        return error.Kind is ErrorKind.Rejected or ErrorKind.TooLarge
            ? new TrackEventOutput { Status = 0, Error = error.Message }
            : throw new MixpanelException(error);
    }

    /// <summary>Its further properties cannot be written by the type's own description.</summary>
    public static JsonElement? Written(TrackEventInput input)
    {
        var written = new JsonObject
        {
            ["strict"] = input.Strict,
            ["project_id"] = input.ProjectId,
            ["event"] = input.Event,
            ["properties"] = input.Properties?.ToJsonObject(),
        };
        foreach (var (name, value) in written) EventJson.EnsureUnicode(name, value);
        return Answers.Element(written);
    }

    static ReadOnlyMemory<byte> Written(string name, JsonObject properties)
    {
        var written = new ArrayBufferWriter<byte>(512);
        EventJson.Write(written, new EventData { Event = name, Properties = properties }, SharedEventProperties.None, index: 0);
        return written.WrittenMemory;
    }

    static long? Project(string? projectId) =>
        projectId is null or TrackEventInput.ConfiguredProject ? null : long.Parse(projectId, NumberStyles.None, CultureInfo.InvariantCulture);
}

public sealed partial class MixpanelClient
{
    /// <summary>
    /// Tracks one event. With a service account, Mixpanel validates it and it may be of any age; with only a project token it must be at most five days old.
    /// </summary>
    /// <remarks>With a service account, it calls https://developer.mixpanel.com/reference/import-events.</remarks>
    /// <example>{"event":"Order Placed","properties":{"time":1756710000,"distinct_id":"user-1","$insert_id":"order-17","total":59.90}}</example>
    /// <param name="input">The event to track.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="MixpanelException">The input is invalid, or Mixpanel failed or refused the call.</exception>
    public ValueTask<TrackEventOutput> TrackEventAsync(TrackEventInput input, CancellationToken cancellationToken = default) =>
        InvokeAsync(EventActions.TrackEvent, input, cancellationToken);
}
