using System.Buffers;
using System.Globalization;
using System.IO.Hashing;

namespace MixpanelConnector.Export;

/// <summary>
/// Classifies the lines of a day. Records are written unchanged. Adjacent lines that are not records, but form one when concatenated, are
/// joined. Any sign that Mixpanel gave up, or returned another day, ends the reading.
/// </summary>
/// <param name="day">The day.</param>
/// <param name="scanner">Recognizes records.</param>
/// <param name="writer">Receives the records.</param>
sealed class DayLines(DateOnly day, RecordScanner scanner, ExportWriter writer)
{
    /// <summary>The maximum number and total size in bytes of adjacent lines that may form one record.</summary>
    const int MostJoined = 8, MostJoinedBytes = 4 << 20;

    /// <summary>The maximum number of distinct unreadable lines that are tracked.</summary>
    const int MostKnown = 1 << 16;

    const long MillisecondsOfDay = 86_400_000;

    readonly long _begin = new DateTimeOffset(day, TimeOnly.MinValue, TimeSpan.Zero).ToUnixTimeMilliseconds();
    readonly List<byte[]> _fragments = [];
    readonly ArrayBufferWriter<byte> _unreadable = new();
    readonly HashSet<ulong> _hashes = [];
    readonly XxHash64 _oversized = new();
    bool _endsWithError;

    public long Records { get; private set; }

    public long Joined { get; private set; }

    public long Unreadable { get; private set; }

    /// <summary>Returns the unreadable lines, unchanged, that were not returned before.</summary>
    public ReadOnlyMemory<byte> TakeUnreadable()
    {
        var lines = _unreadable.WrittenSpan.ToArray();
        _unreadable.ResetWrittenCount();
        return lines;
    }

    /// <summary>The hashes of the unreadable lines.</summary>
    public IReadOnlySet<ulong> Hashes => _hashes;

    /// <exception cref="NotWholeException">The day is incomplete.</exception>
    public void Take(ReadOnlySpan<byte> line)
    {
        if (IsBlank(line)) return;
        if (scanner.TryRead(line))
        {
            Flush();
            Write(line);
            _endsWithError = false;
            return;
        }

        if (SaysTerminated(line)) throw new NotWholeException("Mixpanel reported that it ended it early");
        _endsWithError = scanner.IsError;
        if (TryJoin(line)) return;
        _fragments.Add(line.ToArray());
        while (_fragments.Count > MostJoined || _fragments.Sum(fragment => (long)fragment.Length) > MostJoinedBytes) Drop();
    }

    /// <summary>Processes a part of a line that is too long for a record.</summary>
    public void TakePart(ReadOnlySpan<byte> part)
    {
        Flush();
        _oversized.Append(part);
        _unreadable.Write(part);
    }

    /// <summary>Ends a line that was processed in parts.</summary>
    public void EndParts()
    {
        Keep(_oversized.GetCurrentHashAsUInt64());
        _oversized.Reset();
        _endsWithError = false;
    }

    /// <summary>Processes the text after the last line feed.</summary>
    /// <exception cref="NotWholeException">The day is incomplete.</exception>
    public void End(ReadOnlySpan<byte> rest)
    {
        if (!IsBlank(rest))
        {
            Take(rest);
            if (_fragments.Count > 0 && !_endsWithError) throw new NotWholeException("it was truncated within its last line");
        }

        if (_endsWithError) throw new NotWholeException("it ends with an error from Mixpanel");
        Flush();
    }

    bool TryJoin(ReadOnlySpan<byte> line)
    {
        if (_fragments.Count == 0 || line.TrimEnd(" \t\r"u8) is not [.., (byte)'}']) return false;
        for (var first = 0; first < _fragments.Count; first++)
        {
            if (_fragments[first].AsSpan().TrimStart(" \t\r"u8) is not [(byte)'{', ..]) continue;
            byte[] joined = [.. _fragments.Skip(first).SelectMany(fragment => fragment), .. line];
            if (!scanner.TryRead(joined)) continue;
            for (; first > 0; first--) Drop();
            _fragments.Clear();
            Write(joined);
            Joined++;
            _endsWithError = false;
            return true;
        }

        return false;
    }

    void Write(ReadOnlySpan<byte> record)
    {
        if (scanner.Time < _begin || scanner.Time >= _begin + MillisecondsOfDay)
            throw new NotWholeException(string.Create(CultureInfo.InvariantCulture, $"it contains an event of another day, after {Records} of this one"));
        if (writer.TryWrite(record, scanner)) Records++;
        else KeepLine(record);
    }

    /// <summary>Writes the pending fragments as unreadable lines.</summary>
    void Flush()
    {
        while (_fragments.Count > 0) Drop();
    }

    void Drop()
    {
        KeepLine(_fragments[0]);
        _fragments.RemoveAt(0);
    }

    void KeepLine(ReadOnlySpan<byte> line)
    {
        _unreadable.Write(line);
        Keep(XxHash64.HashToUInt64(line));
    }

    void Keep(ulong hash)
    {
        _unreadable.Write("\n"u8);
        Unreadable++;
        if (_hashes.Count < MostKnown) _hashes.Add(hash);
    }

    static bool IsBlank(ReadOnlySpan<byte> line) => line.Trim(" \t\r"u8).IsEmpty;

    /// <summary>A partial record may precede the message.</summary>
    static bool SaysTerminated(ReadOnlySpan<byte> line) => line.TrimEnd(" \t\r"u8).EndsWith("terminated early"u8);
}
