using System.Security.Cryptography;
using MixpanelConnector.Emulator.Http;
using MixpanelConnector.Emulator.Store;

namespace MixpanelConnector.Emulator.Rules;

/// <summary>An accepted event, ready to be stored. Its properties are a slice of its batch's text.</summary>
readonly record struct EventRow(
    int ProjectId, string Name, DateTimeOffset Time, string DistinctId, string InsertId, int TextStart, int TextLength);

/// <summary>The events of one request that passed validation.</summary>
sealed class EventBatch(DateTimeOffset receivedAt, bool imported, int capacity = 64 * 1024) : IDisposable
{
    readonly PooledBytes _output = new(capacity);
    readonly List<EventRow> _rows = [];
    readonly List<IdentityLink> _links = [];
    EventText? _text;

    public DateTimeOffset ReceivedAt { get; } = receivedAt;

    public IReadOnlyList<EventRow> Rows => _rows;

    /// <summary>The identity links in the events.</summary>
    public IReadOnlyList<IdentityLink> Links => _links;

    public Span<byte> TextOf(in EventRow row) => _output.Slice(row.TextStart, row.TextLength);

    /// <param name="project">Its project.</param>
    /// <param name="body">The bytes that <paramref name="fields"/> refers to.</param>
    /// <param name="fields">The scanned event.</param>
    /// <param name="time">Its time, as determined by the rules.</param>
    /// <param name="fallbackDistinctId">The id for an event that specifies no user.</param>
    public void Add(Project project, ReadOnlySpan<byte> body, in EventFields fields, in EventTime time, string fallbackDistinctId = "")
    {
        var simplified = project.Identity == IdentityManagement.Simplified;
        if (simplified && IdentityRules.DeviceOf(project.Id, fields) is { } link) _links.Add(link);
        var derivedId = fields.DistinctId.Kind == FieldKind.Missing ? DistinctIds.Derive(fields) ?? fallbackDistinctId : null;
        var generatedId = fields.InsertId.Kind == FieldKind.Missing || fields.InsertId.Text == ""
            ? RandomNumberGenerator.GetHexString(32, lowercase: true)
            : null;
        var start = _output.Length;
        _text ??= new EventText(_output);
        _text.Write(body, fields, new EventChanges(time.Replacement, derivedId, generatedId, imported, ReceivedAt.ToUnixTimeMilliseconds()));
        _rows.Add(new EventRow(
            project.Id, StoredText.Of(JsonText.Cut(fields.Name.Text)), time.Value,
            StoredText.Of(derivedId ?? (simplified && fields.UserId.AsText() is { Length: > 0 } user ? user : fields.DistinctId.AsText())),
            StoredText.Of(generatedId ?? fields.InsertId.AsText()), start, _output.Length - start));
    }

    public void Add(in IdentityLink link) => _links.Add(link);

    public void Clear()
    {
        _rows.Clear();
        _links.Clear();
    }

    public void Dispose()
    {
        _text?.Dispose();
        _output.Dispose();
    }
}
