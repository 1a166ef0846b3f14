namespace MixpanelConnector;

/// <summary>The Lexicon schema of an event that the assembly tracks, generated from its type. <c>mixpanel generate schemas</c> reads it.</summary>
/// <param name="entry">An entry as <see cref="MixpanelClient.UploadSchemasAsync"/> accepts it, as JSON.</param>
[AttributeUsage(AttributeTargets.Assembly, AllowMultiple = true)]
public sealed class MixpanelEventSchemaAttribute(string entry) : Attribute
{
    /// <summary>An entry as <see cref="MixpanelClient.UploadSchemasAsync"/> accepts it, as JSON.</summary>
    public string Entry { get; } = entry;
}
