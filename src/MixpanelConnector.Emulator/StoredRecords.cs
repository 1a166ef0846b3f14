namespace MixpanelConnector.Emulator;

/// <summary>An event as the embedded Mixpanel stored it.</summary>
/// <param name="Sequence">Its position in the order in which events were stored, from 1.</param>
/// <param name="ProjectId">The project.</param>
/// <param name="Name">The event's name.</param>
/// <param name="Time">Its time.</param>
/// <param name="DistinctId">The user; empty for nobody.</param>
/// <param name="InsertId">The <c>$insert_id</c>, sent or generated.</param>
/// <param name="Properties">All properties as JSON text; numbers as they were written.</param>
/// <param name="ReceivedAt">The time it was received.</param>
public sealed record StoredEvent(
    long Sequence, int ProjectId, string Name, DateTimeOffset Time, string DistinctId, string InsertId, string Properties, DateTimeOffset ReceivedAt);

/// <summary>A user profile as the embedded Mixpanel stored it.</summary>
/// <param name="ProjectId">The project.</param>
/// <param name="DistinctId">The user.</param>
/// <param name="Properties">All properties as JSON text.</param>
public sealed record StoredProfile(int ProjectId, string DistinctId, string Properties);

/// <summary>A lookup table as the embedded Mixpanel stored it.</summary>
/// <param name="ProjectId">The project.</param>
/// <param name="Id">The table.</param>
/// <param name="Name">Its name.</param>
/// <param name="Csv">Its content as it was sent; initially empty.</param>
public sealed record StoredLookupTable(int ProjectId, Guid Id, string Name, string Csv);

/// <summary>A group profile as the embedded Mixpanel stored it.</summary>
/// <param name="ProjectId">The project.</param>
/// <param name="GroupKey">The group key, such as <c>company</c>.</param>
/// <param name="GroupId">The group.</param>
/// <param name="Properties">All properties as JSON text.</param>
public sealed record StoredGroup(int ProjectId, string GroupKey, string GroupId, string Properties);
