using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using MixpanelConnector.Transport;

namespace MixpanelConnector.Tracking;

/// <summary>Whose a batch in an outbox is: of the project that its records are for, at the address that they go to. The key that says so is a hash; it holds no credential.</summary>
sealed class OutboxOwner(MixpanelOptions options, bool adoptsUnowned, EventEndpoint eventsTo = EventEndpoint.Import)
{
    /// <summary>The bytes of a key.</summary>
    public const int Length = 16;

    // Which credential speaks for the project is decided as for the requests themselves.
    readonly byte[] _events = Key(options, eventsTo is EventEndpoint.Track ? $"track {options.Token}" : options.ServiceAccount is null ? $"token {options.Token}" : string.Create(CultureInfo.InvariantCulture, $"project {options.ProjectId}"));
    readonly byte[] _updates = Key(options, $"token {options.Token}");

    public byte[] Of(TrackedKind kind) => kind is TrackedKind.Event ? _events : _updates;

    /// <summary>Whether a batch is to be sent by this tracker.</summary>
    public bool Owns(OutboxBatch batch) => OutboxRecords.OwnerOf(batch.Content.Span) is { IsEmpty: false } owner
        ? owner.SequenceEqual(Of(batch.Kind))
        : adoptsUnowned || (batch.Kind is not TrackedKind.Event && AllAreOf(batch));

    /// <summary>Of an update the project is in no doubt: its token is in it.</summary>
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
