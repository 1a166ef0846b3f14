using System.Text.Json;
using System.Text.Json.Serialization;
using MixpanelConnector;

[assembly: Action<GetEventProperties, GetEventProperties.Input, GetEventProperties.Output>]

namespace MixpanelConnector;

/// <summary>Retrieves the most common properties of an event.</summary>
/// <remarks>Needs a service account and a project. Each call counts against the limit of 60 queries an hour, 5 of them at a time. See https://developer.mixpanel.com/reference/query-events-top-properties.</remarks>
/// <example>{"event":"Viewed Page","limit":50}</example>
public sealed partial class GetEventProperties : IAction<GetEventProperties.Input, GetEventProperties.Output>
{
    // An event may have so many.
    const int MostAsResource = 255;

    static readonly GetEventPropertiesJson Json = new(Wire.Options());

    /// <summary>Which event, and how many properties to give.</summary>
    public sealed record Input
    {
        /// <summary>The name of the event.</summary>
        public required string Event { get; init; }

        /// <summary>The most properties to give. Default: 10.</summary>
        public long? Limit { get; init; }
    }

    /// <summary>The properties.</summary>
    public sealed record Output
    {
        /// <summary>The properties, the most common first.</summary>
        public required IReadOnlyList<PropertyCount> Properties { get; init; }
    }

    /// <summary>A property and how many events have it.</summary>
    public sealed record PropertyCount
    {
        /// <summary>The name of the property.</summary>
        public required string Name { get; init; }

        /// <summary>How many events have it.</summary>
        public required long Count { get; init; }
    }

    /// <inheritdoc/>
    public static ActionSpec<Input, Output> Spec { get; } = new("get_event_properties", Json.Input, Json.Output)
    {
        Group = "Reports",
        Effect = Effect.ReadOnly,
        Credential = CredentialNeed.ServiceAccountOfProject,
        Cost = RateCost.Query,
        Resource = new("events/{event}/properties", parts => new Input { Event = parts["event"], Limit = MostAsResource }),
    };

    /// <inheritdoc/>
    public static async ValueTask<Output> ExecuteAsync(ActionContext context, Input input, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(input);
        var request = EventReport.Request("/properties/top").WithName("event", "event", input.Event).WithLimit(input.Limit);
        return await EventReport.ReadAsync(context, request, reply => new Output { Properties = [.. reply.EnumerateObject().Select(Read).OrderByDescending(property => property.Count)] }, cancellationToken).ConfigureAwait(false);
    }

    static PropertyCount Read(JsonProperty member) => new()
    {
        Name = member.Name,
        Count = member.Value.GetProperty("count").GetInt64(),
    };

    [JsonSerializable(typeof(Input), TypeInfoPropertyName = "Input")]
    [JsonSerializable(typeof(Output), TypeInfoPropertyName = "Output")]
    sealed partial class GetEventPropertiesJson : JsonSerializerContext;
}

public sealed partial class MixpanelClient
{
    /// <summary>Retrieves the most common properties of an event.</summary>
    /// <param name="input">Which event, and how many properties to give.</param>
    /// <param name="cancellationToken">Stops the call.</param>
    /// <exception cref="MixpanelException">The input is refused, or Mixpanel cannot do it.</exception>
    public ValueTask<GetEventProperties.Output> GetEventPropertiesAsync(GetEventProperties.Input input, CancellationToken cancellationToken = default) =>
        InvokeAsync<GetEventProperties, GetEventProperties.Input, GetEventProperties.Output>(input, cancellationToken);
}
