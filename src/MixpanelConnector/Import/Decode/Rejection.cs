namespace MixpanelConnector.Import.Decode;

/// <summary>Why a record is not imported.</summary>
/// <param name="Code">A stable name, in snake_case.</param>
/// <param name="Field">The field at fault; null when the record as a whole is.</param>
/// <param name="Message">The reason, without any value of the record.</param>
sealed record Rejection(string Code, string? Field, string Message)
{
    /// <summary>Whether the record may have reached Mixpanel all the same.</summary>
    public bool MaybeDelivered { get; init; }
}
