using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace MixpanelConnector;

/// <summary>A text that must not be disclosed. Printing, logging, debugging and serializing it yield <c>***</c>; only <c>Reveal</c> returns the text.</summary>
[DebuggerDisplay("***")]
[JsonConverter(typeof(SecretConverter))]
public sealed class Secret : IEquatable<Secret>
{
    const string Mask = "***";
    [DebuggerBrowsable(DebuggerBrowsableState.Never)] readonly string _value;

    /// <summary>Wraps a secret text.</summary>
    /// <param name="value">The secret; not empty.</param>
    /// <exception cref="ArgumentException">The text is null or empty.</exception>
    public Secret(string value)
    {
        ArgumentException.ThrowIfNullOrEmpty(value);
        _value = value;
    }

    /// <summary>Returns the secret itself. Pass the result straight to where it is needed and do not store it.</summary>
    public string Reveal() => _value;

    /// <summary>Returns <c>***</c>, never the secret.</summary>
    public override string ToString() => Mask;

    /// <inheritdoc/>
    public bool Equals(Secret? other) => other is not null && string.Equals(_value, other._value, StringComparison.Ordinal);

    /// <inheritdoc/>
    public override bool Equals([NotNullWhen(true)] object? obj) => Equals(obj as Secret);

    /// <inheritdoc/>
    public override int GetHashCode() => _value.GetHashCode(StringComparison.Ordinal);

    internal sealed class SecretConverter : JsonConverter<Secret>
    {
        public override Secret? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            throw new JsonException("A secret is never read from JSON.");

        public override void Write(Utf8JsonWriter writer, Secret value, JsonSerializerOptions options) => writer.WriteStringValue(Mask);
    }
}
