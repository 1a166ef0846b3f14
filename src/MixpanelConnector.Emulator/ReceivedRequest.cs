namespace MixpanelConnector.Emulator;

/// <summary>A request as it was received.</summary>
/// <param name="Method">The method, like <c>POST</c>.</param>
/// <param name="Path">The path.</param>
/// <param name="Query">The query string with its question mark; empty without one.</param>
/// <param name="Status">The status that it was answered with; null when the connection was ended instead.</param>
/// <param name="ReceivedAt">When.</param>
public sealed record ReceivedRequest(string Method, string Path, string Query, int? Status, DateTimeOffset ReceivedAt)
{
    /// <summary>Its number, from 1 since the start or the last reset.</summary>
    public long Number { get; init; }

    /// <summary>The host that it was sent to, like <c>api-eu.mixpanel.com</c> where it came through the proxy.</summary>
    public string Host { get; init; } = "";

    /// <summary>The projects that it is about, as far as it says so: by its records, its path, or <c>project_id</c>.</summary>
    public IReadOnlyList<int> ProjectIds { get; init; } = [];

    /// <summary>What became of its records; null when it brought none, or was refused before anybody looked at them.</summary>
    public ReceivedRecords? Records { get; init; }

    /// <summary>Why it was refused as a whole; null when it was not.</summary>
    public string? Error { get; init; }
}

/// <summary>What became of the records of a request. Those that are not among <see cref="NotKept"/> were kept.</summary>
/// <param name="Received">How many came.</param>
/// <param name="Kept">How many were stored, or carried out.</param>
/// <param name="NotKept">The others, at most 100 of them; those of a request long ago may be gone.</param>
public sealed record ReceivedRecords(int Received, int Kept, IReadOnlyList<RecordNotKept> NotKept);

/// <summary>A record that was not kept.</summary>
/// <param name="Index">Its place in the request, from 0.</param>
/// <param name="Field">The field that breaks a rule; empty for the record as a whole.</param>
/// <param name="Reason">The rule.</param>
/// <param name="IsTold">Whether the answer says so: much is dropped without a word.</param>
/// <param name="Record">Its first 4,096 bytes as text.</param>
public sealed record RecordNotKept(int Index, string Field, string Reason, bool IsTold, string Record);
