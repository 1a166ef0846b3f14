using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;

namespace MixpanelConnector.Tool.Surfaces.Http;

/// <summary>
/// The open connections. If the limit is reached, a new connection replaces the one that has been without a request for longest; those that have not presented
/// a key go first. A client that only holds connections open therefore blocks nobody, and file descriptors are left for the work. That is why this happens
/// here, where connections are accepted, and not later.
/// </summary>
/// <param name="sockets">Accepts connections.</param>
/// <param name="most">The maximum number of open connections.</param>
/// <param name="keys">Whether callers have keys.</param>
sealed class Connections(IConnectionListenerFactory sockets, int most, bool keys) : IConnectionListenerFactory
{
    readonly Lock _lock = new();
    readonly LinkedList<Connection> _open = new(); // the most recently used one is last

    /// <summary>
    /// The maximum number of connections: the limit, or fewer if there are not enough file descriptors, of which each connection needs one. The rest is for the
    /// requests to Mixpanel and for files.
    /// </summary>
    public static int Most()
    {
        const int LeastOfRest = 32, MostOfRest = 1024;
        if (MostFiles() is not { } files) return Limits.Connections;
        var free = files - Directory.GetFiles("/proc/self/fd").Length;
        return Math.Clamp(free - Math.Clamp(free / 2, LeastOfRest, MostOfRest), 1, Limits.Connections);
    }

    /// <summary>The connection of a request; null if another server accepted it.</summary>
    public static Connection? Of(HttpContext context) => context.Features.Get<Connection>();

    public async ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default) =>
        new Listener(await sockets.BindAsync(endpoint, cancellationToken), this);

    /// <summary>Admits a connection; false if there is no room for it.</summary>
    bool Take(ConnectionContext context)
    {
        var connection = new Connection(this, context);
        Connection? leaves = null;
        lock (_lock)
        {
            if (_open.Count >= most)
            {
                leaves = Leaving();
                if (leaves is null) return false;
                _open.Remove(leaves.Node);
            }

            _open.AddLast(connection.Node);
        }

        leaves?.Close();
        context.Features.Set(connection);
        context.ConnectionClosed.UnsafeRegister(static state => ((Connection)state!).Leave(), connection);
        return true;
    }

    Connection? Leaving() =>
        _open.FirstOrDefault(connection => connection is { Requests: 0, HasShownKey: false })
        ?? (keys ? _open.FirstOrDefault(connection => !connection.HasShownKey) : null)
        ?? _open.FirstOrDefault(connection => connection.Requests == 0);

    static int? MostFiles()
    {
        const string Name = "Max open files";
        if (!OperatingSystem.IsLinux()) return null;
        var line = File.ReadLines("/proc/self/limits").FirstOrDefault(line => line.StartsWith(Name, StringComparison.Ordinal));
        return line?[Name.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries) is [var soft, ..]
            && int.TryParse(soft, NumberStyles.None, CultureInfo.InvariantCulture, out var files)
            ? files
            : null;
    }

    public sealed class Connection
    {
        readonly Connections _all;
        readonly ConnectionContext _context;

        public Connection(Connections all, ConnectionContext context)
        {
            (_all, _context) = (all, context);
            Node = new LinkedListNode<Connection>(this);
        }

        public LinkedListNode<Connection> Node { get; }

        public int Requests { get; private set; }

        public bool HasShownKey { get; set; }

        public void Begin() => Use(1);

        public void End() => Use(-1);

        public void Leave()
        {
            lock (_all._lock)
            {
                if (Node.List is not null) _all._open.Remove(Node);
            }
        }

        /// <summary>Closes the connection at once, to free its place.</summary>
        public void Close()
        {
            _context.Abort(new ConnectionAbortedException("The connection limit was reached."));
            _context.Features.Get<IConnectionSocketFeature>()?.Socket.Dispose();
        }

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

    sealed class Listener(IConnectionListener sockets, Connections all) : IConnectionListener
    {
        public EndPoint EndPoint => sockets.EndPoint;

        public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
        {
            while (await sockets.AcceptAsync(cancellationToken) is { } connection)
            {
                if (all.Take(connection)) return connection;
                connection.Abort();
                await connection.DisposeAsync();
            }

            return null;
        }

        public ValueTask UnbindAsync(CancellationToken cancellationToken = default) => sockets.UnbindAsync(cancellationToken);

        public ValueTask DisposeAsync() => sockets.DisposeAsync();
    }
}
