using System.Text.Json.Serialization;
using MixpanelConnector;

[assembly: Action<GetEventPropertyValues, GetEventPropertyValues.Input, GetEventPropertyValues.Output>]

namespace MixpanelConnector;

/// <summary>Retrieves the most common values of a property of an event.</summary>
/// <remarks>Needs a service account and a project. Each call counts against the limit of 60 queries an hour, 5 of them at a time. See https://developer.mixpanel.com/reference/query-events-top-property-values.</remarks>
/// <example>{"event":"Viewed Page","property":"plan","limit":20}</example>
public sealed partial class GetEventPropertyValues : IAction<GetEventPropertyValues.Input, GetEventPropertyValues.Output>
{
    static readonly GetEventPropertyValuesJson Json = new(Wire.Options());

    /// <summary>Which event and property, and how many values to give.</summary>
    public sealed record Input
    {
        /// <summary>The name of the event.</summary>
        public required string Event { get; init; }

        /// <summary>The name of the property.</summary>
        public required string Property { get; init; }

        /// <summary>The most values to give. Default: 255.</summary>
        public long? Limit { get; init; }
    }

    /// <summary>The values.</summary>
    public sealed record Output
    {
        /// <summary>The values as text, the most common first.</summary>
        public required IReadOnlyList<string> Values { get; init; }

        /// <summary>How many values were retrieved.</summary>
        public required int Total { get; init; }
    }

    /// <inheritdoc/>
    public static ActionSpec<Input, Output> Spec { get; } = new("get_event_property_values", Json.Input, Json.Output)
    {
        Group = "Reports",
        Effect = Effect.ReadOnly,
        Credential = CredentialNeed.ServiceAccountOfProject,
        Cost = RateCost.Query,
    };

    /// <inheritdoc/>
    public static async ValueTask<Output> ExecuteAsync(ActionContext context, Input input, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(input);
        var request = EventReport.Request("/properties/values").WithName("event", "event", input.Event).WithName("name", "property", input.Property).WithLimit(input.Limit);
        var values = await EventReport.ReadAsync(context, request, EventReport.ReadTexts, cancellationToken).ConfigureAwait(false);
        return new Output { Values = values, Total = values.Length };
    }

    [JsonSerializable(typeof(Input), TypeInfoPropertyName = "Input")]
    [JsonSerializable(typeof(Output), TypeInfoPropertyName = "Output")]
    sealed partial class GetEventPropertyValuesJson : JsonSerializerContext;
}

public sealed partial class MixpanelClient
{
    /// <summary>Retrieves the most common values of a property of an event.</summary>
    /// <param name="input">Which event and property, and how many values to give.</param>
    /// <param name="cancellationToken">Stops the call.</param>
    /// <exception cref="MixpanelException">The input is refused, or Mixpanel cannot do it.</exception>
    public ValueTask<GetEventPropertyValues.Output> GetEventPropertyValuesAsync(GetEventPropertyValues.Input input, CancellationToken cancellationToken = default) =>
        InvokeAsync<GetEventPropertyValues, GetEventPropertyValues.Input, GetEventPropertyValues.Output>(input, cancellationToken);
}
