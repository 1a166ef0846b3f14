using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;
using MixpanelConnector.Import.Decode;

namespace MixpanelConnector.Import.Validate;

/// <summary>
/// Computes the <c>$insert_id</c> of an event that has none, from its bytes as they were read, its source's id, and the how-manieth
/// record with these bytes it is in its source: a second run makes the same, two identical lines get two, and what was mended,
/// added or removed elsewhere in the source changes none. 128 bits in hex fit Mixpanel's 36 characters and need no check against
/// its rules. Beyond the <see cref="Occurrences.Most"/> different records that can be told apart, the place takes part in place of the
/// count. A state of an earlier version goes on as it began: there the place takes part in each id.
/// </summary>
sealed class ComputedInsertIds
{
    public const int Length = 32;

    readonly Occurrences _occurrences = new();
    readonly byte[] _id = new byte[Length];
    byte[] _unquoted = [];
    long _source;
    bool _isUnknown;
    bool _taken;
    bool _wasTaken;

    /// <summary>Whether to go on as an earlier version began. To be said before the first source.</summary>
    public bool OfPlaces { get; set; }

    /// <summary>What the ids of this source came from so far; null where only their places are known to take part.</summary>
    public ImportIds? Made { get; private set; }

    /// <summary>The id of the record that was taken last.</summary>
    public ReadOnlySpan<byte> Last => _id;

    /// <param name="sourceId">The source's id.</param>
    /// <param name="made">What its ids come from that an earlier run has computed; null when that is not known.</param>
    public void Begin(string sourceId, ImportIds? made)
    {
        _source = HashOf(sourceId);
        _occurrences.Clear();
        _isUnknown = made is null;
        Made = OfPlaces ? null : made ?? ImportIds.None;
    }

    /// <summary>Whether the ids of what follows depend on what came before.</summary>
    public bool Recalls => !OfPlaces && (_isUnknown || Made is not ImportIds.None);

    /// <summary>Called before each record, which has one id at most, however often it is asked for.</summary>
    public void Next() => (_wasTaken, _taken) = (_taken, false);

    /// <summary>Where the record before had no id: the hash of this one, which probably has none either. Its count is on the way from memory then while the record is checked.</summary>
    public UInt128? Prepare(in Record record)
    {
        if (!_wasTaken || _taken || OfPlaces) return null;
        var hash = HashOf(in record);
        _occurrences.Prefetch((ulong)hash);
        return hash;
    }

    /// <summary>Computes the id of a record.</summary>
    /// <param name="record">The record.</param>
    /// <param name="prepared">What <see cref="Prepare"/> gave for it.</param>
    public void Take(in Record record, UInt128? prepared = null)
    {
        if (_taken) return;
        _taken = true;
        if (OfPlaces)
        {
            OfPlace(record.Raw, _source, record.Offset, _id);
            return;
        }

        var hash = prepared ?? HashOf(in record);
        var before = _occurrences.Take((ulong)hash);
        var made = before < 0 ? ImportIds.OfPlaces : record.IsBuilt && record.Row.IsEmpty ? ImportIds.OfColumns : ImportIds.OfBytes;
        if (Made < made) Made = made;
        if (before == 0)
        {
            Write(hash);
            return;
        }

        Span<byte> another = stackalloc byte[25];
        BinaryPrimitives.WriteUInt128LittleEndian(another, hash);
        BinaryPrimitives.WriteInt64LittleEndian(another[16..], before < 0 ? record.Offset : before);
        another[24] = before < 0 ? (byte)1 : (byte)0;
        Write(XxHash128.HashToUInt128(another));
    }

    UInt128 HashOf(in Record record) => XxHash128.HashToUInt128(Own(in record), _source);

    /// <summary>The record's own bytes, which no option changes: of a row of text, those without quotes, which programs set as they like.</summary>
    ReadOnlySpan<byte> Own(in Record record)
    {
        if (record.Row.IsEmpty) return record.Raw;
        if (!record.Row.Contains((byte)'"')) return record.Row;
        if (_unquoted.Length < record.Row.Length) _unquoted = new byte[record.Row.Length * 2];
        var length = 0;
        foreach (var part in record.Row.Split((byte)'"'))
        {
            record.Row[part].CopyTo(_unquoted.AsSpan(length));
            length += record.Row[part].Length;
        }

        return _unquoted.AsSpan(0, length);
    }

    /// <summary>An id from a record and its place.</summary>
    public static void OfPlace(ReadOnlySpan<byte> record, long source, long place, Span<byte> id)
    {
        Span<byte> both = stackalloc byte[16];
        BinaryPrimitives.WriteInt64LittleEndian(both, source);
        BinaryPrimitives.WriteInt64LittleEndian(both[8..], place);
        Write(XxHash128.HashToUInt128(record, (long)XxHash3.HashToUInt64(both)), id);
    }

    public static long HashOf(string sourceId) => (long)XxHash3.HashToUInt64(Encoding.UTF8.GetBytes(sourceId));

    void Write(UInt128 id) => Write(id, _id);

    static void Write(UInt128 id, Span<byte> hex)
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, id);
        Convert.TryToHexStringLower(bytes, hex, out _);
    }
}
