using System.Buffers;
using System.Globalization;
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

    static readonly Rejection NameNotUnicode = NotADeadLetter with { Message = "this dead letter has a name that is not valid Unicode" };

    static readonly Rejection OnlyBeginning = new("not_replayable", "raw_truncated",
        "this dead letter contains only the beginning of its record, without its length and sha256: import the record again from its source");

    static readonly Rejection OfOtherOptions =
        new("not_replayable", "options", "this dead letter is from an import with other options than the first: replay it in a separate file");

    static readonly Rejection OfOtherLayout =
        new("not_replayable", "row", "the \"row\" of this dead letter, which defines how its row is read, is damaged or does not match the options");

    static readonly Rejection OfDamagedMisfits =
        new("not_replayable", "misfits", "the \"misfits\" of this dead letter, which define how its fields are read, are damaged");

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
        var (rawLength, isTruncated) = (-1, false);
        Rejection? fault = null;
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
                if (TextIn(ref reader) is not { } name) return Refused(line, NameNotUnicode);
                reader.Read();
                switch (name)
                {
                    case "source": fault ??= ReadText(ref reader, name, out origin); break;
                    case "insert_id": fault ??= ReadText(ref reader, name, out insertId); break;
                    case "sha256": fault ??= ReadText(ref reader, name, out sha256); break;
                    case "line": fault ??= ReadNumber(ref reader, name, least: 1, out number); break;
                    case "offset": fault ??= ReadNumber(ref reader, name, least: 0, out offset); break;
                    case "length": fault ??= ReadNumber(ref reader, name, least: 0, out length); break;
                    case "attempts": fault ??= ReadNumber(ref reader, name, least: 0, out _); break;
                    case "raw_truncated": fault ??= ReadTruth(ref reader, name, out isTruncated); break;
                    case "raw" or "raw_base64" when reader.TokenType is JsonTokenType.Null: break;
                    case "raw" when reader.TokenType is JsonTokenType.StartObject: (rawLength, isText) = (Copy(ValueOf(ref reader, line.Bytes)), false); break;
                    case "raw": fault ??= ReadRaw(ref reader, out rawLength); break;
                    case "raw_base64": fault ??= ReadBase64(ref reader, out rawLength); break;
                    case "options": kept = ValueOf(ref reader, line.Bytes); break;
                    case "row": layout = ValueOf(ref reader, line.Bytes); break;
                    case "misfits": misfits = ValueOf(ref reader, line.Bytes); break;
                    default: break;
                }

                reader.Skip(); // what was not read
            }
        }
        catch (JsonException)
        {
            return Refused(line);
        }

        if (fault is not null) return Refused(line, fault);
        if (rawLength < 0) return Refused(line);
        if (isTruncated && sha256 is null) return Refused(line, OnlyBeginning);
        if (!kept.SequenceEqual(_options)) return Refused(line, OfOtherOptions);
        var raw = _raw.AsSpan(0, rawLength);
        if (!layout.IsEmpty && isText && sha256 is null && rows is not null)
        {
            try
            {
                return rows.Parse(raw, layout, offset ?? line.Offset, number ?? line.Line) with { Origin = origin, InsertId = insertId };
            }
            catch (FormatException)
            {
                return Refused(line, OfOtherLayout);
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
            return Refused(line, OfDamagedMisfits);
        }
    }

    static Record Refused(Record line, Rejection? rejection = null) =>
        new() { Bytes = line.Bytes, Offset = line.Offset, Line = line.Line, Rejection = rejection ?? NotADeadLetter };

    static Rejection Invalid(string field, string rule) => new("not_replayable", field, $"the \"{field}\" of this dead letter must be {rule}");

    static Rejection? ReadText(ref Utf8JsonReader reader, string name, out string? text)
    {
        text = null;
        if (reader.TokenType is JsonTokenType.Null) return null;
        return reader.TokenType is JsonTokenType.String && (text = TextIn(ref reader)) is not null ? null : Invalid(name, "a text");
    }

    static Rejection? ReadNumber(ref Utf8JsonReader reader, string name, long least, out long? number)
    {
        number = null;
        if (reader.TokenType is JsonTokenType.Null) return null;
        if (reader.TokenType is not JsonTokenType.Number || !WholeNumber.TryRead(reader.ValueSpan, out var value) || value < least)
            return Invalid(name, string.Create(CultureInfo.InvariantCulture, $"a whole number from {least}"));
        number = value;
        return null;
    }

    static Rejection? ReadTruth(ref Utf8JsonReader reader, string name, out bool truth)
    {
        truth = reader.TokenType is JsonTokenType.True;
        return reader.TokenType is JsonTokenType.True or JsonTokenType.False or JsonTokenType.Null ? null : Invalid(name, "true or false");
    }

    /// <summary>Reads a record that is stored as text.</summary>
    Rejection? ReadRaw(ref Utf8JsonReader reader, out int length)
    {
        length = -1;
        try
        {
            if (reader.TokenType is not JsonTokenType.String) return Invalid("raw", "the record, as an object or as text");
            length = reader.CopyString(_raw);
            return null;
        }
        catch (InvalidOperationException)
        {
            return Invalid("raw", "valid Unicode; a record that is not is stored as raw_base64");
        }
    }

    Rejection? ReadBase64(ref Utf8JsonReader reader, out int length)
    {
        length = -1;
        if (reader.TokenType is not JsonTokenType.String || !reader.TryGetBytesFromBase64(out var bytes))
            return Invalid("raw_base64", "the bytes of the record in Base64");
        length = Copy(Text(bytes));
        return null;
    }

    /// <summary>The current name or text; null if it is not valid Unicode.</summary>
    static string? TextIn(ref Utf8JsonReader reader)
    {
        try
        {
            return reader.GetString();
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

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
