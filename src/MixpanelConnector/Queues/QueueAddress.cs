using System.Globalization;
using System.Net;

namespace MixpanelConnector.Queues;

/// <summary>A broker of a cluster.</summary>
readonly record struct QueueHost(string Name, int Port)
{
    public bool IsLoopback =>
        Name.Equals("localhost", StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(Name, out var address) && IPAddress.IsLoopback(address));

    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{(Name.Contains(':', StringComparison.Ordinal) ? $"[{Name}]" : Name)}:{Port}");
}

/// <summary>The address of a queue: <c>SCHEME[s]://HOST[:PORT][,HOST[:PORT]…]/PATH</c>.</summary>
/// <param name="Text">The address as it was given; it contains no secret.</param>
/// <param name="IsSecure">Whether it requires TLS.</param>
/// <param name="Hosts">The brokers of one cluster.</param>
/// <param name="Path">The parts of its path, decoded.</param>
sealed record QueueAddress(string Text, bool IsSecure, IReadOnlyList<QueueHost> Hosts, IReadOnlyList<string> Path)
{
    /// <exception cref="QueueException">The address is invalid.</exception>
    public static QueueAddress Parse(string text, QueueScheme scheme, MessageWords words)
    {
        var at = text.IndexOf("://", StringComparison.Ordinal) + 3;
        var isSecure = at == scheme.Name.Length + 4;
        var slash = text.IndexOf('/', at);
        var authority = slash < 0 ? text[at..] : text[at..slash];
        // The text is not quoted here: it may contain a password.
        if (text.LastIndexOf('@') >= at)
            throw Wrong("The URL of the queue contains a user name or a password, which others could read: "
                + $"set them with {words.QueueCredentials}. "
                    + "Write an @ in the name of a queue as %40.");
        if (text.AsSpan(at).IndexOfAny('?', '#') >= 0) throw Wrong("The URL of the queue must not contain ? or #: in names, write %3F and %23.");
        if (text.Any(c => char.IsControl(c) || char.IsWhiteSpace(c))) throw Wrong("The URL of the queue must not contain white space: in names, write %20.");
        var path = slash < 0 ? [] : text[(slash + 1)..].Split('/').Select(Uri.UnescapeDataString).ToList();
        if (path.Count == 0 || path[^1].Length == 0) throw Wrong($"{text} lacks the name of the queue: {scheme.Name}://HOST/NAME.");
        var hosts = authority.Split(',').Select(host => Host(host, isSecure ? scheme.SecurePort : scheme.Port, text)).ToList();
        return new(text, isSecure, hosts, path);
    }

    static QueueHost Host(string host, int port, string text)
    {
        var name = host;
        var colon = host.LastIndexOf(':');
        if (colon >= 0 && colon > host.LastIndexOf(']'))
        {
            name = host[..colon];
            if (!int.TryParse(host[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out port) || port is < 1 or > 65535)
                throw Wrong($"{text} has a port that is not a number from 1 to 65535.");
        }

        if (name is ['[', .., ']']) name = name[1..^1];
        return Uri.CheckHostName(name) is UriHostNameType.Unknown
            ? throw Wrong($"{text} has a host that is neither a name nor an IP address.")
            : new(name, port);
    }

    static QueueException Wrong(string message) => new(QueueFault.Unconfigured, message);
}
