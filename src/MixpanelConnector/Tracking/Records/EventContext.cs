namespace MixpanelConnector.Tracking.Records;

/// <summary>Data about events that is not part of their properties.</summary>
/// <param name="Time">When they happened; null for now.</param>
/// <param name="Groups">The groups that they belong to, by group key.</param>
sealed record EventContext(DateTimeOffset? Time, AddedProperties Groups)
{
    public static readonly EventContext Empty = new(null, new([]));
}
