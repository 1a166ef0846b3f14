using System.Collections;
using System.IO.Hashing;
using System.Text.Json;

namespace MixpanelConnector.Faults;

/// <summary>
/// The oracle for millions of events, in bounded memory: for each event it keeps whether it was stored, and 64 bits of its key.
/// The expected event is generated again from its number.
/// </summary>
sealed class SoakOracle(Lines lines, int count) : IJournal
{
    const int MostFindings = 20;

    static ReadOnlySpan<byte> InsertId => "\"$insert_id\":\""u8;

    readonly Lock _lock = new();
    readonly BitArray _stored = new(count);
    readonly ulong[] _keys = new ulong[count];
    readonly List<string> _findings = [];
    readonly byte[] _line = new byte[4096];

    /// <summary>The number of distinct stored events.</summary>
    public int Distinct { get; private set; }

    public void Store(ReadOnlySpan<byte> request, IReadOnlyList<Slice> events)
    {
        lock (_lock)
        {
            foreach (var slice in events) Store(request.Slice(slice.At, slice.Length), slice.Oid);
        }
    }

    /// <summary>All findings at the end; empty if there are none.</summary>
    /// <param name="deadLetters">The lines of the dead-letter file.</param>
    /// <param name="report">The report.</param>
    /// <param name="exitCode">The exit code.</param>
    /// <param name="refused">Which events the server refuses.</param>
    public IReadOnlyList<string> Judge(IEnumerable<DeadLine> deadLetters, JsonElement report, int exitCode, Func<long, bool> refused)
    {
        lock (_lock)
        {
            var dead = new BitArray(count);
            var letters = Letters(deadLetters, dead);
            var blank = 0L;
            for (var n = 0; n < count; n++)
            {
                var kind = lines.KindOf(n);
                if (kind is LineKind.Blank) blank++;
                else if (!_stored[n] && !dead[n]) Find($"I2 event {n} is lost");
                else if (_stored[n] && dead[n]) Find($"I6 event {n} is in the dead letters, and was stored");
                else if (dead[n] != (kind is not LineKind.Good || refused(n))) Find($"I6 event {n} is {(dead[n] ? "" : "not ")}in the dead letters");
            }

            var keys = new ulong[Distinct];
            var filled = 0;
            for (var n = 0; n < count; n++)
                if (_stored[n]) keys[filled++] = _keys[n];
            Array.Sort(keys);
            for (var i = 1; i < keys.Length; i++)
                if (keys[i] == keys[i - 1]) Find("I4 two events share a key");

            long Count(string name) => report.GetProperty(name).GetInt64();
            if (Count("read") != Count("accepted") + Count("rejected") + Count("pending") + Count("blank")) Find("I1 the report does not add up");
            if (Count("read") != count || Count("pending") != 0 || Count("blank") != blank || Count("rejected") != letters || Count("accepted") != Distinct)
                Find($"I8 the report says {report}, where {count} were to be read, {Distinct} were stored, {letters} are dead letters, and {blank} blank");
            if (exitCode != (letters > 0 ? 3 : 0) || Count("exit_code") != exitCode) Find($"I8 exit {exitCode}");
            return _findings;
        }
    }

    void Store(ReadOnlySpan<byte> json, long oid)
    {
        if ((ulong)oid >= (ulong)count)
        {
            Find($"I2 event {oid} was stored, and is in no input");
            return;
        }

        var n = (int)oid;
        var line = _line.AsSpan(0, lines.Write(n, _line));
        var key = KeyOf(json, line);
        if (key is null) Find($"I5 event {n} differs, or has no $insert_id");
        else if (!_stored[n]) _keys[n] = key.Value;
        else if (_keys[n] != key) Find($"I3 event {n} was stored under several keys");
        if (_stored[n]) return;
        _stored[n] = true;
        Distinct++;
    }

    /// <summary>The key of an event; null if the event is not as expected. All of the key except the <c>$insert_id</c> follows from the number.</summary>
    static ulong? KeyOf(ReadOnlySpan<byte> json, ReadOnlySpan<byte> line)
    {
        var at = json.IndexOf(InsertId);
        if (at < 0) return null;
        var id = json[(at + InsertId.Length)..];
        id = id[..id.IndexOf((byte)'"')];
        if (!json.SequenceEqual(line))
        {
            // Usually, without the added id and its comma, the bytes equal those of the line; only the tree has to match.
            var end = at + InsertId.Length + id.Length + 1;
            var same = json[end] == (byte)',' && json.Length - (end + 1 - at) == line.Length && json[..at].SequenceEqual(line[..at])
                && json[(end + 1)..].SequenceEqual(line[at..]);
            if (!same && JsonTrees.Difference(JsonElement.Parse(line), JsonElement.Parse(json)) is not null) return null;
        }

        var hash = new XxHash3();
        hash.Append(id);
        hash.Append(line[..line.IndexOf("\"properties\""u8)]); // the event's name
        hash.Append(Value(line, "\"distinct_id\":"u8));
        return hash.GetCurrentHashAsUInt64();
    }

    static ReadOnlySpan<byte> Value(ReadOnlySpan<byte> line, ReadOnlySpan<byte> name)
    {
        var rest = line[(line.IndexOf(name) + name.Length)..];
        return rest[..rest.IndexOf((byte)',')];
    }

    long Letters(IEnumerable<DeadLine> deadLetters, BitArray dead)
    {
        var letters = 0L;
        var buffer = new byte[4096];
        foreach (var letter in deadLetters)
        {
            letters++;
            var text = letter.Raw.AsSpan();
            var at = text.IndexOf("\"oid\":"u8);
            if (at < 0 || !System.Buffers.Text.Utf8Parser.TryParse(text[(at + 6)..], out long n, out _) || (ulong)n >= (ulong)count)
                Find($"I6 a dead letter of no event: line {letter.Line}");
            else if (dead[(int)n]) Find($"I6 event {n} has several dead letters");
            else if (!text.SequenceEqual(buffer.AsSpan(0, lines.Write(n, buffer)))) Find($"I6 the dead letter of event {n} holds other bytes");
            else dead[(int)n] = true;
        }

        return letters;
    }

    void Find(string finding)
    {
        if (_findings.Count < MostFindings) _findings.Add(finding);
    }
}

/// <summary>A small correct soak, except for injected defects.</summary>
sealed class SoakPlant
{
    const int Count = 200;

    readonly Lines _lines = new() { BadEvery = 50, BlankEvery = 99, Users = 5 };
    readonly List<DeadLine> _letters = [];
    readonly SoakOracle _oracle;
    readonly byte[] _buffer = new byte[4096];
    int _sent;

    public SoakPlant() => _oracle = new SoakOracle(_lines, Count);

    public int Skip { get; set; } = -1;

    public int Rekey { get; set; } = -1;

    public bool Merge { get; set; }

    public int Alter { get; set; } = -1;

    public bool OneMoreLetter { get; set; }

    public int Accepted { get; set; }

    public IReadOnlyList<string> Judge()
    {
        for (var n = 0; n < Count; n++)
        {
            if (n == Skip) continue;
            if (_lines.KindOf(n) is LineKind.Blank) continue;
            if (_lines.KindOf(n) is not LineKind.Good) Bury(n);
            else Send(n, $"id-{n}");
        }

        if (Rekey >= 0) Send(Rekey, "another");
        if (OneMoreLetter) Bury(16);
        var blank = Enumerable.Range(0, Count).Count(n => _lines.KindOf(n) is LineKind.Blank);
        var report = JsonElement.Parse($$"""{"read":{{Count}},"accepted":{{_sent + Accepted}},"rejected":{{_letters.Count}},"pending":0,"blank":{{blank}},"exit_code":3}""");
        return _oracle.Judge(_letters, report, 3, _ => false);
    }

    void Bury(int n) => _letters.Add(new("events.ndjson", n + 1, 0, _buffer[.._lines.Write(n, _buffer)], "x", "", 0, MaybeDelivered: false));

    void Send(int n, string id)
    {
        var text = System.Text.Encoding.UTF8.GetString(_buffer, 0, _lines.Write(n, _buffer));
        if (Merge && (n is 20 or 25)) id = "merged"; // of one name and one user
        if (!text.Contains("$insert_id", StringComparison.Ordinal))
            text = text.Replace("\"properties\":{", $"\"properties\":{{\"$insert_id\":\"{id}\",", StringComparison.Ordinal);
        else if (id == "another") text = text.Replace($"own-{n}", id, StringComparison.Ordinal);
        if (n == Alter) text = text.Replace("true", "null", StringComparison.Ordinal);
        var bytes = System.Text.Encoding.UTF8.GetBytes(text);
        _oracle.Store(bytes, [new Slice(0, bytes.Length, n)]);
        if (id != "another") _sent++;
    }
}
