using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace MixpanelConnector.Tracking;

/// <summary>The JSON contract of a type by reflection: names as they are written, times as Mixpanel reads them.</summary>
static class ReflectionContract
{
    static JsonSerializerOptions? _options;

    [RequiresUnreferencedCode("The properties of the type are found by reflection.")]
    [RequiresDynamicCode("The properties of the type are found by reflection.")]
    public static JsonTypeInfo Of<T>() => Cache<T>.Type ??= Options().GetTypeInfo(typeof(T));

    [RequiresUnreferencedCode("The properties of the type are found by reflection.")]
    [RequiresDynamicCode("The properties of the type are found by reflection.")]
    static JsonSerializerOptions Options()
    {
        if (_options is { } options) return options;
        options = new JsonSerializerOptions
        {
            TypeInfoResolver = new DefaultJsonTypeInfoResolver(),
            DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
            Converters = { new JsonStringEnumConverter(), new TimeConverter(), new OffsetTimeConverter() },
        };
        options.MakeReadOnly();
        return _options = options;
    }

    static class Cache<T>
    {
        public static JsonTypeInfo? Type { get; set; }
    }

    sealed class TimeConverter : JsonConverter<DateTime>
    {
        public override DateTime Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => throw new NotSupportedException();

        public override void Write(Utf8JsonWriter writer, DateTime value, JsonSerializerOptions options) => writer.WriteStringValue(MixpanelTime.Of(value));
    }

    sealed class OffsetTimeConverter : JsonConverter<DateTimeOffset>
    {
        public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => throw new NotSupportedException();

        public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) => writer.WriteStringValue(MixpanelTime.Of(value.UtcDateTime));
    }
}
