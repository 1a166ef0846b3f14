using System.Security.Cryptography;
using System.Text;
using MixpanelConnector.Files;

namespace MixpanelConnector.Tool.Surfaces.Http;

/// <summary>The permission of a caller.</summary>
enum Scope
{
    /// <summary>Open to anybody, without a key.</summary>
    None,

    /// <summary>Everything that changes no data.</summary>
    Read,

    /// <summary>Everything.</summary>
    Write,
}

/// <summary>A sender of requests: the owner of a key, or anybody on this machine if keys are not used.</summary>
sealed class Caller(string name, Scope scope, TokenBucket bucket, RequestMemory memory)
{
    public string Name { get; } = name;

    public Scope Scope { get; } = scope;

    public TokenBucket Bucket { get; } = bucket;

    /// <summary>The budget that its requests' memory counts against.</summary>
    public RequestMemory Memory { get; } = memory;

    /// <summary>Bytes held by its requests; changed by the budget only.</summary>
    public long Held { get; set; }
}

/// <summary>
/// The keys of this server. Each line contains a name, a scope, and the SHA-256 of the key in hexadecimal; lines that begin with # are comments. Keys have 256
/// random bits, so that an unsalted hash reveals nothing about them.
/// </summary>
sealed class Keys
{
    public const string Variable = "MIXPANEL_SERVE_KEYS";
    const string KeyPrefix = "mpk_";
    static readonly char[] Spaces = [' ', '\t', '\r'];
    static readonly char[] LineEnds = ['\n', '\r'];

    readonly List<(byte[] Hash, Caller Caller)> _callers = [];

    Keys() { }

    /// <summary>Whether there are no keys: anybody who can reach the server may do everything.</summary>
    public bool Open => _callers.Count == 0;

    /// <summary>The memory budget shared by all callers.</summary>
    public RequestMemory Memory { get; } = new();

    public static Keys None => new();

    /// <summary>Whether more than one caller may change data.</summary>
    public bool HaveSeveralWriters => _callers.Count(known => known.Caller.Scope is Scope.Write) > 1;

    /// <exception cref="MixpanelException">The file cannot be read, is not private, or contains a line that is not a key.</exception>
    public static Keys Load(string? path, HostEnvironment host, Func<TokenBucket> newBucket)
    {
        var keys = new Keys();
        if (host.Environment(Variable) is { } text && !keys.Add(Variable, text.Split('\n', ';'), newBucket))
            throw Configuration.Invalid("keys",
                $"{Variable} is set, but contains no key: either nobody or everybody could use the server. Add a key, or unset it.");
        if (path is null) return keys;
        try
        {
            Secrets.EnsurePrivate(path, "keys");
            var lines = Encoding.UTF8.GetString(GivenFile.Read(path, host.Stopping)).Split('\n');
            return keys.Add(path, lines, newBucket)
                ? keys
                : throw Configuration.Invalid("keys", $"{path} contains no key. Create one: mixpanel serve new-key --keys {path} --name NAME --scope read");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw Configuration.Invalid("keys", $"The key file cannot be read: {e.Message}");
        }
    }

    /// <summary>Creates a key, adds its hash to a file that only its owner can read, and returns the key, which is stored nowhere else.</summary>
    /// <exception cref="MixpanelException">The file cannot be written, or the name is in use or not valid.</exception>
    public static string Make(string path, string name, Scope scope)
    {
        if (!IsName(name)) throw Configuration.Invalid("name", "The name must consist of at most 64 letters, digits, - . and _.");
        try
        {
            path = Path.GetFullPath(path);
            var isNew = FileStatus.Of(path).Kind is FileKind.None;
            using var file = FileLock.TryTake(path) ?? throw new IOException("Another process is currently writing it.");
            Secrets.EnsurePrivate(path, "keys");
            using var reader = new StreamReader(file, leaveOpen: true);
            var lines = reader.ReadToEnd();
            if (lines.Split(LineEnds).Any(line => line.Split(Spaces, StringSplitOptions.RemoveEmptyEntries) is [var taken, ..] && taken == name))
                throw Configuration.Invalid("name", $"{path} already has a key with the name {name}.");

            var key = KeyPrefix + Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)).TrimEnd('=').Replace('+', '-').Replace('/', '_');
            var added = $"{name} {scope.ToString().ToLowerInvariant()} {Convert.ToHexStringLower(Hash(key))}\n";
            // If an editor saved the file without a final line break, the new line would be appended to the last one.
            file.Seek(0, SeekOrigin.End);
            file.Write(Encoding.UTF8.GetBytes(lines.Length == 0 || LineEnds.Contains(lines[^1]) ? added : $"\n{added}"));
            file.Flush();
            Durable.Sync(file);
            if (isNew) Durable.SyncFolder(Path.GetDirectoryName(path)!);
            return key;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw Configuration.Invalid("keys", $"The key file cannot be written: {e.Message}");
        }
    }

    /// <summary>The caller with a key; null if there is none. Every key is compared completely, so that the timing reveals nothing.</summary>
    public Caller? Find(string? key)
    {
        var hash = Hash(key ?? "");
        Caller? found = null;
        foreach (var (known, caller) in _callers)
        {
            if (CryptographicOperations.FixedTimeEquals(known, hash)) found = caller;
        }

        return found;
    }

    static byte[] Hash(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));

    static bool IsName(string text) => text.Length is > 0 and <= 64 && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.' or '_');

    /// <summary>Adds the keys in the lines; false if there are none.</summary>
    bool Add(string source, IEnumerable<string> lines, Func<TokenBucket> newBucket)
    {
        var before = _callers.Count;
        var number = 0;
        foreach (var line in lines)
        {
            number++;
            if (line.AsSpan().Trim() is [] or ['#', ..]) continue;
            if (line.Split(Spaces, StringSplitOptions.RemoveEmptyEntries) is not [var name, var scope, { Length: 64 } hash] || scope is not ("read" or "write")
                || !IsName(name) || !hash.All(char.IsAsciiHexDigit))
                throw Configuration.Invalid("keys", $"{source}, line {number}: expected a name, read or write, and the SHA-256 of the key in hex.");
            _callers.Add((Convert.FromHexString(hash), new Caller(name, scope == "write" ? Scope.Write : Scope.Read, newBucket(), Memory)));
        }

        return _callers.Count > before;
    }
}
