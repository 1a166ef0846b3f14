using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace MixpanelConnector;

/// <summary>A text that must not be disclosed. Printing, logging, debugging and serializing it yield <c>***</c>; only <c>Reveal</c> returns the text.</summary>
[DebuggerDisplay("***")]
[JsonConverter(typeof(SecretConverter))]
public sealed class MixpanelSecret : IEquatable<MixpanelSecret>
{
    const string Mask = "***";
    [DebuggerBrowsable(DebuggerBrowsableState.Never)] readonly string _value;

    /// <summary>Wraps a secret text.</summary>
    /// <param name="value">The secret; not empty.</param>
    /// <exception cref="ArgumentException">The text is null or empty.</exception>
    public MixpanelSecret(string value)
    {
        ArgumentException.ThrowIfNullOrEmpty(value);
        _value = value;
    }

    /// <summary>Returns the secret itself. Pass the result straight to where it is needed and do not store it.</summary>
    public string Reveal() => _value;

    /// <summary>Returns <c>***</c>, never the secret.</summary>
    public override string ToString() => Mask;

    /// <inheritdoc/>
    public bool Equals(MixpanelSecret? other) => other is not null && string.Equals(_value, other._value, StringComparison.Ordinal);

    /// <inheritdoc/>
    public override bool Equals([NotNullWhen(true)] object? obj) => Equals(obj as MixpanelSecret);

    /// <inheritdoc/>
    public override int GetHashCode() => _value.GetHashCode(StringComparison.Ordinal);

    internal sealed class SecretConverter : JsonConverter<MixpanelSecret>
    {
        public override MixpanelSecret? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            throw new JsonException("A secret is never read from JSON.");

        public override void Write(Utf8JsonWriter writer, MixpanelSecret value, JsonSerializerOptions options) => writer.WriteStringValue(Mask);
    }
}
