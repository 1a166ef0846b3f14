using ModelContextProtocol;

namespace MixpanelConnector.Tool.Surfaces.Mcp;

/// <summary>The limits on concurrent calls of one agent, and on its calls per minute.</summary>
sealed class CallLimits(TimeProvider time)
{
    public const int MostAtOnce = 8;
    public const int MostAMinute = 240;

    readonly Lock _lock = new();
    readonly Queue<long> _calls = new();
    int _running;

    /// <summary>Registers a call; dispose the result when it ends.</summary>
    /// <exception cref="McpException">There are too many; the message says when to retry.</exception>
    public IDisposable Enter()
    {
        lock (_lock)
        {
            while (_calls.TryPeek(out var oldest) && time.GetElapsedTime(oldest) > TimeSpan.FromMinutes(1)) _calls.Dequeue();
            if (_running >= MostAtOnce) throw new McpException($"{MostAtOnce} calls are running. Wait for one to end, then try again.");
            if (_calls.Count >= MostAMinute) throw new McpException($"There were {MostAMinute} calls in the last minute. Wait a minute, then try again.");
            _calls.Enqueue(time.GetTimestamp());
            _running++;
        }

        return new Permit(this);
    }

    void Leave()
    {
        lock (_lock) _running--;
    }

    sealed class Permit(CallLimits limits) : IDisposable
    {
        public void Dispose() => limits.Leave();
    }
}
