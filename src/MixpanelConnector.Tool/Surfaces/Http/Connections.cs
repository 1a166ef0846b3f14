using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;

namespace MixpanelConnector.Tool.Surfaces.Http;

/// <summary>
/// The open connections. When one more comes than the server may have, it gets the place of the one that has been without a
/// request for longest; of those that have not shown a key first. So whoever only holds connections holds up nobody.
/// </summary>
/// <param name="most">How many may be open.</param>
/// <param name="keys">Whether callers have keys.</param>
sealed class Connections(int most, bool keys)
{
    readonly Lock _lock = new();
    readonly LinkedList<Connection> _open = new(); // the one that was used last is the last

    /// <summary>As many as the limit says, and as files leave, of which each connection is one.</summary>
    public static int Most()
    {
        if (MostFiles() is not { } files) return Limits.Connections;
        var free = files - Directory.GetFiles("/proc/self/fd").Length;
        return Math.Clamp(free - Math.Clamp(free / 4, 16, 1024), 1, Limits.Connections); // the rest is for the calls to Mixpanel and for what is kept on the disk
    }

    public async Task RunAsync(ConnectionContext context, ConnectionDelegate next)
    {
        var connection = new Connection(this, context);
        Connection? leaves = null;
        lock (_lock)
        {
            if (_open.Count >= most) leaves = Leaving() ?? connection;
            if (leaves != connection) _open.AddLast(connection.Node);
            if (leaves?.Node.List is not null) _open.Remove(leaves.Node);
        }

        leaves?.Context.Abort(new ConnectionAbortedException("The server has no place for more connections."));
        if (leaves == connection) return;
        context.Features.Set(connection);
        try
        {
            await next(context);
        }
        finally
        {
            lock (_lock)
            {
                if (connection.Node.List is not null) _open.Remove(connection.Node);
            }
        }
    }

    /// <summary>The connection of a request; null where another server has it.</summary>
    public static Connection? Of(HttpContext context) => context.Features.Get<Connection>();

    Connection? Leaving() =>
        _open.FirstOrDefault(connection => connection is { Requests: 0, HasShownKey: false })
        ?? (keys ? _open.FirstOrDefault(connection => !connection.HasShownKey) : null)
        ?? _open.FirstOrDefault(connection => connection.Requests == 0);

    static int? MostFiles()
    {
        const string Name = "Max open files";
        if (!OperatingSystem.IsLinux()) return null;
        var line = File.ReadLines("/proc/self/limits").FirstOrDefault(line => line.StartsWith(Name, StringComparison.Ordinal));
        return line?[Name.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries) is [var soft, ..] && int.TryParse(soft, out var files) ? files : null;
    }

    public sealed class Connection
    {
        readonly Connections _all;

        public Connection(Connections all, ConnectionContext context)
        {
            (_all, Context) = (all, context);
            Node = new LinkedListNode<Connection>(this);
        }

        public ConnectionContext Context { get; }

        public LinkedListNode<Connection> Node { get; }

        public int Requests { get; private set; }

        public bool HasShownKey { get; set; }

        public void Begin() => Use(1);

        public void End() => Use(-1);

        void Use(int requests)
        {
            lock (_all._lock)
            {
                Requests += requests;
                if (Node.List is null) return;
                _all._open.Remove(Node);
                _all._open.AddLast(Node);
            }
        }
    }
}
