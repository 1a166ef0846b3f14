using System.Text.Json.Serialization;
using MixpanelConnector;

[assembly: Action<GetEventNames, GetEventNames.Input, GetEventNames.Output>]

namespace MixpanelConnector;

/// <summary>Retrieves the names of the most common events of the last 31 days.</summary>
/// <remarks>Needs a service account and a project. Each call counts against the limit of 60 queries an hour, 5 of them at a time. See https://developer.mixpanel.com/reference/query-months-top-event-names.</remarks>
/// <example>{"limit":100}</example>
public sealed partial class GetEventNames : IAction<GetEventNames.Input, GetEventNames.Output>
{
    static readonly GetEventNamesJson Json = new(Wire.Options());

    /// <summary>What to count, and how many names to give.</summary>
    public sealed record Input
    {
        /// <summary>What to count: general (every event), unique (users), average (events for each user). Default: general.</summary>
        public EventCountType? Type { get; init; }

        /// <summary>The most names to give. Default: 255.</summary>
        public long? Limit { get; init; }
    }

    /// <summary>The names.</summary>
    public sealed record Output
    {
        /// <summary>The names, the most common first.</summary>
        public required IReadOnlyList<string> Names { get; init; }

        /// <summary>How many names were retrieved.</summary>
        public required int Total { get; init; }
    }

    /// <inheritdoc/>
    public static ActionSpec<Input, Output> Spec { get; } = new("get_event_names", Json.Input, Json.Output)
    {
        Group = "Reports",
        Effect = Effect.ReadOnly,
        Credential = CredentialNeed.ServiceAccountOfProject,
        Cost = RateCost.Query,
        Resource = new("events", _ => new Input()),
    };

    /// <inheritdoc/>
    public static async ValueTask<Output> ExecuteAsync(ActionContext context, Input input, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(input);
        var request = EventReport.Request("/names").WithType(input.Type).WithLimit(input.Limit);
        var names = await EventReport.ReadAsync(context, request, EventReport.ReadTexts, cancellationToken).ConfigureAwait(false);
        return new Output { Names = names, Total = names.Length };
    }

    [JsonSerializable(typeof(Input), TypeInfoPropertyName = "Input")]
    [JsonSerializable(typeof(Output), TypeInfoPropertyName = "Output")]
    sealed partial class GetEventNamesJson : JsonSerializerContext;
}

public sealed partial class MixpanelClient
{
    /// <summary>Retrieves the names of the most common events of the last 31 days.</summary>
    /// <param name="input">What to count, and how many names to give.</param>
    /// <param name="cancellationToken">Stops the call.</param>
    /// <exception cref="MixpanelException">The input is refused, or Mixpanel cannot do it.</exception>
    public ValueTask<GetEventNames.Output> GetEventNamesAsync(GetEventNames.Input input, CancellationToken cancellationToken = default) =>
        InvokeAsync<GetEventNames, GetEventNames.Input, GetEventNames.Output>(input, cancellationToken);
}
