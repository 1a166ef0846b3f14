using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace MixpanelConnector.Tracking.Values;

/// <summary>
/// The JSON contract of a type as a tracker writes it, whatever its source. Names and converters are the type's own; types without a converter
/// follow the rules of <see cref="TrackedValue"/>; nulls are omitted. In an event, <c>time</c> is a number of milliseconds.
/// </summary>
static class TrackedContract
{
    static readonly ConditionalWeakTable<JsonTypeInfo, Contracts> Known = [];

    static JsonSerializerOptions? _reflection;

    /// <summary>Returns the contract found by reflection, with names as they are declared.</summary>
    [RequiresUnreferencedCode("The properties of the type are found by reflection.")]
    [RequiresDynamicCode("The properties of the type are found by reflection.")]
    public static JsonTypeInfo Reflected<T>() =>
        Cache<T>.Type ??= (_reflection ??= new JsonSerializerOptions { TypeInfoResolver = new DefaultJsonTypeInfoResolver() }).GetTypeInfo(typeof(T));

    /// <summary>Returns the contract for the type of a given contract.</summary>
    /// <param name="given">The caller's contract, or <see cref="Reflected"/>.</param>
    /// <param name="ofEvent">Whether it is for the properties of an event.</param>
    public static JsonTypeInfo Of(JsonTypeInfo given, bool ofEvent)
    {
        var contracts = Known.GetValue(given, static given => new Contracts(given));
        return ofEvent ? contracts.OfEvent : contracts.OfUpdate;
    }

    static JsonTypeInfo Adapt(JsonTypeInfo given, bool ofEvent)
    {
        var options = new JsonSerializerOptions(given.Options);
        if (options.DefaultIgnoreCondition is JsonIgnoreCondition.Never) options.DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull;
        options.Encoder ??= JsonDefaults.WriterOptions.Encoder; // names are escaped like values
        foreach (var converter in TrackedValue.Converters) options.Converters.Add(converter);
        var resolver = given.Options.TypeInfoResolver ?? given.OriginatingResolver
            ?? throw new NotSupportedException($"The contract of {given.Type.Name} has no resolver.");
        if (ofEvent) resolver = resolver.WithAddedModifier(contract =>
        {
            if (contract.Type != given.Type || contract.Kind is not JsonTypeInfoKind.Object) return;
            foreach (var property in contract.Properties)
                if (property.Name == "time") property.CustomConverter = TrackedValue.MillisecondsOf(property.PropertyType) ?? property.CustomConverter;
        });
        options.TypeInfoResolver = resolver;
        options.MakeReadOnly();
        return options.GetTypeInfo(given.Type);
    }

    sealed class Contracts(JsonTypeInfo given)
    {
        JsonTypeInfo? _ofEvent, _ofUpdate;

        public JsonTypeInfo OfEvent => _ofEvent ??= Adapt(given, ofEvent: true);

        public JsonTypeInfo OfUpdate => _ofUpdate ??= Adapt(given, ofEvent: false);
    }

    static class Cache<T>
    {
        public static JsonTypeInfo? Type { get; set; }
    }
}
