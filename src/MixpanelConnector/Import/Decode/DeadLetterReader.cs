using System.Buffers;
using System.Text;
using System.Text.Json;
using MixpanelConnector.Import.Source;
using MixpanelConnector.Import.Undelivered;

namespace MixpanelConnector.Import.Decode;

/// <summary>Reads the records in a dead-letter file: each with its original bytes, position and id.</summary>
/// <param name="lines">The dead letters.</param>
/// <param name="options">The options that the replay takes from the first dead letter.</param>
/// <param name="readMisfits">Reads rows that became records although they did not match their columns.</param>
/// <param name="encoding">The encoding of the records that are not UTF-8; null when it is unknown.</param>
/// <param name="rows">Parses rows of text; null when they are not read.</param>
sealed class DeadLetterReader(RecordReader lines, string options, ReadMisfits readMisfits, TextEncoding? encoding = null, RowParser? rows = null) : RecordReader
{
    /// <summary>A record of 1 MiB with every byte escaped as six, and the fields around it.</summary>
    public const int LargestLine = 8 << 20;

    static readonly Rejection NotADeadLetter = new("not_replayable", null, "this line is not a dead letter: it needs raw or raw_base64");

    static readonly Rejection OfOtherOptions = new("not_replayable", "options", "this dead letter is from an import with other options than the first: replay it in a separate file");

    static readonly Rejection OfOtherLayout = new("not_replayable", "row", "the \"row\" of this dead letter, which defines how its row is read, is damaged or does not match the options");

    static readonly Rejection OfDamagedMisfits = new("not_replayable", "misfits", "the \"misfits\" of this dead letter, which define how its fields are read, are damaged");

    readonly byte[] _options = Encoding.UTF8.GetBytes(options);
    byte[] _raw = [];

    /// <summary>The member that holds the options.</summary>
    public static ReadOnlySpan<byte> Options => "options"u8;

    public override ReadPosition Position => lines.Position;

    public override long RawPosition => lines.RawPosition;

    public override bool HasPartialRecord => lines.HasPartialRecord;

    public override Hash128 Fingerprint(ReadPosition position) => lines.Fingerprint(position);

    public override ValueTask<bool> FillAsync(CancellationToken cancellationToken) => lines.FillAsync(cancellationToken);

    public override bool TryRead(out Record record)
    {
        if (!lines.TryRead(out var line))
        {
            record = default;
            return false;
        }

        record = line.Kind is RecordKind.Json ? Unwrap(line) : line;
        return true;
    }

    public override void Dispose() => lines.Dispose();

    Record Unwrap(Record line)
    {
        string? origin = null, insertId = null, sha256 = null;
        long? number = null, offset = null, length = null;
        var rawLength = -1;
        ReadOnlySpan<byte> kept = default, layout = default, misfits = default;
        var isText = true;
        if (_raw.Length < line.Bytes.Length) _raw = new byte[line.Bytes.Length];
        try
        {
            var reader = new Utf8JsonReader(line.Bytes);
            reader.Read();
            if (reader.TokenType is not JsonTokenType.StartObject) return Refused(line);
            while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
            {
                var name = reader.GetString();
                reader.Read();
                switch (name)
                {
                    case "source": origin = reader.GetString(); break;
                    case "insert_id": insertId = reader.GetString(); break;
                    case "sha256": sha256 = reader.GetString(); break;
                    case "line": number = reader.GetInt64(); break;
                    case "offset": offset = reader.GetInt64(); break;
                    case "length": length = reader.GetInt64(); break;
                    case "raw" when reader.TokenType is JsonTokenType.StartObject: (rawLength, isText) = (Copy(ValueOf(ref reader, line.Bytes)), false); break;
                    case "raw": rawLength = reader.CopyString(_raw); break;
                    case "options": kept = ValueOf(ref reader, line.Bytes); break;
                    case "row": layout = ValueOf(ref reader, line.Bytes); break;
                    case "misfits": misfits = ValueOf(ref reader, line.Bytes); break;
                    case "raw_base64": rawLength = Copy(Text(reader.GetBytesFromBase64())); break;
                    default: reader.Skip(); break;
                }
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            return Refused(line);
        }

        if (rawLength < 0) return Refused(line);
        if (!kept.SequenceEqual(_options)) return Refused(line) with { Rejection = OfOtherOptions };
        var raw = _raw.AsSpan(0, rawLength);
        if (!layout.IsEmpty && isText && sha256 is null && rows is not null)
        {
            try
            {
                return rows.Parse(raw, layout, offset ?? line.Offset, number ?? line.Line) with { Origin = origin, InsertId = insertId };
            }
            catch (FormatException)
            {
                return Refused(line) with { Rejection = OfOtherLayout };
            }
        }

        var record = new Record
        {
            Kind = sha256 is null ? RecordKind.Json : RecordKind.Oversized,
            Bytes = raw,
            Oversized = sha256 is null ? null : OversizedRecord.Recorded(raw, length ?? rawLength, sha256),
            Offset = offset ?? line.Offset,
            Line = number ?? line.Line,
            Origin = origin,
            InsertId = insertId,
        };
        if (misfits.IsEmpty || sha256 is not null) return record;
        try
        {
            return readMisfits(in record, misfits);
        }
        catch (FormatException)
        {
            return Refused(line) with { Rejection = OfDamagedMisfits };
        }
    }

    static Record Refused(Record line) => new() { Bytes = line.Bytes, Offset = line.Offset, Line = line.Line, Rejection = NotADeadLetter };

    static ReadOnlySpan<byte> ValueOf(scoped ref Utf8JsonReader reader, ReadOnlySpan<byte> line)
    {
        var start = (int)reader.TokenStartIndex;
        reader.Skip();
        return line[start..(int)reader.BytesConsumed];
    }

    /// <summary>Converts bytes that are not UTF-8 to text, if their encoding is known.</summary>
    ReadOnlySpan<byte> Text(byte[] bytes)
    {
        if (encoding is null) return bytes;
        var text = new byte[(bytes.Length * 3) + Transcoder.LongestCharacter];
        return encoding.NewTranscoder().Convert(bytes, text, ended: true, out _, out var length) is OperationStatus.Done ? text.AsSpan(0, length) : bytes;
    }

    int Copy(ReadOnlySpan<byte> bytes)
    {
        if (_raw.Length < bytes.Length) _raw = new byte[bytes.Length];
        bytes.CopyTo(_raw);
        return bytes.Length;
    }
}
