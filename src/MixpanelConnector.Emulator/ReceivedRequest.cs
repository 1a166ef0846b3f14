namespace MixpanelConnector.Emulator;

/// <summary>A request as it was received.</summary>
/// <param name="Method">The method, such as <c>POST</c>.</param>
/// <param name="Path">The path.</param>
/// <param name="Query">The query string with its question mark; empty if there is none.</param>
/// <param name="Status">The status of the response; null if the connection was closed instead.</param>
/// <param name="ReceivedAt">The time it was received.</param>
public sealed record ReceivedRequest(string Method, string Path, string Query, int? Status, DateTimeOffset ReceivedAt)
{
    /// <summary>Its number, counted from 1 since the start or the last reset.</summary>
    public long Number { get; init; }

    /// <summary>The host that it was sent to, such as <c>api-eu.mixpanel.com</c> if it came through the proxy.</summary>
    public string Host { get; init; } = "";

    /// <summary>The projects that it concerns, as far as it specifies them: by its records, its path, or <c>project_id</c>.</summary>
    public IReadOnlyList<int> ProjectIds { get; init; } = [];

    /// <summary>The outcome of its records; null if it contained none, or was rejected before they were read.</summary>
    public ReceivedRecords? Records { get; init; }

    /// <summary>Why the whole request was rejected; null if it was not.</summary>
    public string? Error { get; init; }
}

/// <summary>The outcome of the records of a request. Those that are not in <see cref="NotKept"/> were stored.</summary>
/// <param name="Received">The number of records received.</param>
/// <param name="Kept">The number of records that were stored or applied.</param>
/// <param name="NotKept">The others, at most 100 of them; those of older requests may have been discarded.</param>
public sealed record ReceivedRecords(int Received, int Kept, IReadOnlyList<RecordNotKept> NotKept);

/// <summary>A record that was not stored.</summary>
/// <param name="Index">Its index in the request, from 0.</param>
/// <param name="Field">The field that violates a rule; empty for the record as a whole.</param>
/// <param name="Reason">The rule.</param>
/// <param name="IsTold">Whether the response reports it: many records are dropped silently.</param>
/// <param name="Record">Its first 4,096 bytes as text.</param>
public sealed record RecordNotKept(int Index, string Field, string Reason, bool IsTold, string Record);
