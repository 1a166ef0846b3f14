using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;

namespace MixpanelConnector.Tool.Surfaces.Http;

/// <summary>
/// One line of JSON on standard error for each denial and each failure; nothing for successful requests. The encoder escapes control characters, quotes and
/// everything beyond ASCII, so that external text cannot forge a line. Writing never delays a response: lines that do not fit are counted, and reported later.
/// </summary>
sealed class AuditLog : IAsyncDisposable
{
    const int LongestText = 300;

    readonly TextWriter _target;
    readonly TimeProvider _time;
    readonly Channel<string> _lines = Channel.CreateBounded<string>(new BoundedChannelOptions(1024) { SingleReader = true });
    readonly Task _writing;
    long _dropped;

    public AuditLog(TextWriter target, TimeProvider time)
    {
        _target = target;
        _time = time;
        _writing = Task.Run(WriteAsync);
    }

    /// <summary>Writes a failure of this machine, whose details its callers do not see.</summary>
    /// <param name="error">The failure.</param>
    /// <param name="request">The id of the request, if one failed.</param>
    public void WriteLocal(MixpanelError error, string? request = null)
    {
        if (error.LocalDetail is not null) Write("local_failure", ("request_id", request), ("reason", ErrorTable.LocalMessage(error)));
    }

    /// <param name="what">The name of the event, a constant.</param>
    /// <param name="details">Names and values; null values are omitted.</param>
    public void Write(string what, params ReadOnlySpan<(string Name, string? Value)> details)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("time", _time.GetUtcNow());
            json.WriteString("event", what);
            foreach (var (name, value) in details)
            {
                if (value is not null) json.WriteString(name, value.Length > LongestText ? value.AsSpan(0, LongestText) : value);
            }

            if (Interlocked.Exchange(ref _dropped, 0) is > 0 and var dropped) json.WriteNumber("lines_dropped_before", dropped);
            json.WriteEndObject();
        }

        if (!_lines.Writer.TryWrite(Encoding.UTF8.GetString(buffer.WrittenSpan))) Interlocked.Increment(ref _dropped);
    }

    public async ValueTask DisposeAsync()
    {
        _lines.Writer.Complete();
        await _writing;
    }

    async Task WriteAsync()
    {
        await foreach (var line in _lines.Reader.ReadAllAsync())
        {
            try
            {
                await _target.WriteLineAsync(line);
            }
            catch (IOException)
            {
                // Nobody reads the log any more, which must not stop the server.
            }
        }
    }
}
