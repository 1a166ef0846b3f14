namespace MixpanelConnector.Import.Decode;

/// <summary>Why a record is not imported.</summary>
/// <param name="Code">A stable identifier, in snake_case.</param>
/// <param name="Field">The invalid field; null when the reason is about the record as a whole.</param>
/// <param name="Message">The reason, without any value from the record.</param>
sealed record Rejection(string Code, string? Field, SettingText Message)
{
    /// <summary>Whether the record may have reached Mixpanel anyway.</summary>
    public bool MaybeDelivered { get; init; }
}
