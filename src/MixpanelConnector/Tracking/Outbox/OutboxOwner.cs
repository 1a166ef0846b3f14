using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using MixpanelConnector.Transport;

namespace MixpanelConnector.Tracking.Outbox;

/// <summary>
/// The owner of a batch in an outbox: the project that its records are for, and the address that they go to. The owner key is a hash; it contains no
/// credential.
/// </summary>
sealed class OutboxOwner(MixpanelOptions options, bool adoptsUnowned, EventEndpoint eventsTo = EventEndpoint.Import)
{
    /// <summary>The length of a key in bytes.</summary>
    public const int Length = 16;

    // The credential that identifies the project is chosen as for the requests themselves.
    readonly byte[] _events = Key(options,
        eventsTo is EventEndpoint.Track ? $"track {options.Token}"
            : options.ServiceAccount is null ? $"token {options.Token}"
            : string.Create(CultureInfo.InvariantCulture, $"project {options.ProjectId}"));
    readonly byte[] _updates = Key(options, $"token {options.Token}");

    public byte[] Of(TrackedKind kind) => kind is TrackedKind.Event ? _events : _updates;

    /// <summary>Whether this tracker is to send a batch.</summary>
    public bool Owns(OutboxBatch batch) => OutboxRecords.OwnerOf(batch.Content.Span) is { IsEmpty: false } owner
        ? owner.SequenceEqual(Of(batch.Kind))
        : adoptsUnowned || (batch.Kind is not TrackedKind.Event && AllAreOf(batch));

    /// <summary>The project of an update is certain: the update contains its token.</summary>
    bool AllAreOf(OutboxBatch batch)
    {
        if (options.Token is null) return false;
        var all = true;
        try
        {
            OutboxRecords.ForEach(batch.Content.Span, (_, record) => all &= TokenOf(record) == options.Token);
        }
        catch (Exception e) when (e is InvalidDataException or JsonException)
        {
            return false;
        }

        return all;
    }

    static string? TokenOf(ReadOnlySpan<byte> record)
    {
        var json = new Utf8JsonReader(record);
        while (json.Read())
        {
            if (json.CurrentDepth != 1 || json.TokenType is not JsonTokenType.PropertyName || !json.ValueTextEquals("$token"u8)) continue;
            return json.Read() && json.TokenType is JsonTokenType.String ? json.GetString() : null;
        }

        return null;
    }

    static byte[] Key(MixpanelOptions options, string project) =>
        SHA256.HashData(Encoding.UTF8.GetBytes($"{Hosts.BaseAddress(options, Api.Ingestion).AbsoluteUri.TrimEnd('/')}\n{project}"))[..Length];
}
