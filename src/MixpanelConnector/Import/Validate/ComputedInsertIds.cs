using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;
using MixpanelConnector.Import.Decode;

namespace MixpanelConnector.Import.Validate;

/// <summary>
/// Computes the <c>$insert_id</c> of an event that has none, from its bytes as read, its source's id, and the number of earlier
/// records with the same bytes in its source. A second run computes the same ids, two identical lines get two ids, and changing,
/// adding or removing other records in the source changes none. 128 bits in hex fit Mixpanel's 36 characters and satisfy
/// its rules. Beyond the <see cref="Occurrences.Most"/> distinct records that can be tracked, the position is used instead of the
/// count. An import with the state of an earlier version continues as it began: there, the position is part of each id.
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

    /// <summary>Whether to continue as an earlier version began. To be set before the first source.</summary>
    public bool OfPlaces { get; set; }

    /// <summary>What the ids of this source are derived from so far; null when all that is known is that positions are part of them.</summary>
    public ImportIds? Made { get; private set; }

    /// <summary>The id of the last record.</summary>
    public ReadOnlySpan<byte> Last => _id;

    /// <param name="sourceId">The source's id.</param>
    /// <param name="made">What the ids computed by an earlier run are derived from; null when that is unknown.</param>
    public void Begin(string sourceId, ImportIds? made)
    {
        _source = HashOf(sourceId);
        _occurrences.Clear();
        _isUnknown = made is null;
        Made = OfPlaces ? null : made ?? ImportIds.None;
    }

    /// <summary>Whether the ids of later records depend on earlier ones.</summary>
    public bool Recalls => !OfPlaces && (_isUnknown || Made is not ImportIds.None);

    /// <summary>Called before each record, which has at most one id, however often it is requested.</summary>
    public void Next() => (_wasTaken, _taken) = (_taken, false);

    /// <summary>
    /// If the previous record had no id: hashes this one, which probably has none
    /// either, so that its count is prefetched from memory while the record is checked.
    /// </summary>
    public Hash128? Prepare(in Record record)
    {
        if (!_wasTaken || _taken || OfPlaces) return null;
        var hash = HashOf(in record);
        _occurrences.Prefetch(hash.Lower);
        return hash;
    }

    /// <summary>Computes the id of a record.</summary>
    /// <param name="record">The record.</param>
    /// <param name="prepared">The result of <see cref="Prepare"/> for it.</param>
    public void Take(in Record record, Hash128? prepared = null)
    {
        if (_taken) return;
        _taken = true;
        if (OfPlaces)
        {
            OfPlace(record.Raw, _source, record.Offset, _id);
            return;
        }

        var hash = prepared ?? HashOf(in record);
        var before = _occurrences.Take(hash.Lower);
        var made = before < 0 ? ImportIds.OfPlaces : record.IsBuilt && record.Row.IsEmpty ? ImportIds.OfColumns : ImportIds.OfBytes;
        if (Made < made) Made = made;
        if (before == 0)
        {
            hash.WriteDigits(_id);
            return;
        }

        Span<byte> another = stackalloc byte[25];
        hash.WriteLittleEndian(another);
        BinaryPrimitives.WriteInt64LittleEndian(another[16..], before < 0 ? record.Offset : before);
        another[24] = before < 0 ? (byte)1 : (byte)0;
        Hash128.Of(another).WriteDigits(_id);
    }

    Hash128 HashOf(in Record record) => Hash128.Of(Own(in record), _source);

    /// <summary>The bytes of the record that do not depend on any option. For a row of text these exclude quotes, which programs use inconsistently.</summary>
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

    /// <summary>Computes an id from a record and its position.</summary>
    public static void OfPlace(ReadOnlySpan<byte> record, long source, long place, Span<byte> id)
    {
        Span<byte> both = stackalloc byte[16];
        BinaryPrimitives.WriteInt64LittleEndian(both, source);
        BinaryPrimitives.WriteInt64LittleEndian(both[8..], place);
        Hash128.Of(record, (long)XxHash3.HashToUInt64(both)).WriteDigits(id);
    }

    public static long HashOf(string sourceId) => (long)XxHash3.HashToUInt64(Encoding.UTF8.GetBytes(sourceId));
}
