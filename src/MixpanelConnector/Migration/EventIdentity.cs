using System.Buffers.Binary;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using System.Text.Json.Serialization;
using MixpanelConnector.Export;
using MixpanelConnector.Import.Map;

namespace MixpanelConnector.Migration;

/// <summary>Hashes of the properties by which Mixpanel identifies an event: its name, its time, its user and its <c>$insert_id</c>.</summary>
/// <param name="Whole">The hash of all four.</param>
/// <param name="WithoutUser">The hash of all but the user.</param>
[StructLayout(LayoutKind.Auto)]
readonly record struct EventIdentity(UInt128 Whole, UInt128 WithoutUser)
{
    /// <param name="record">The event.</param>
    /// <param name="scanned">The scanner that has read the event.</param>
    /// <param name="insertId">The id for an event without one.</param>
    public static EventIdentity Of(ReadOnlySpan<byte> record, RecordScanner scanned, ReadOnlySpan<byte> insertId = default)
    {
        var hash = new XxHash128();
        Append(hash, TextOf(scanned.Id.In(record)));
        Span<byte> time = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(time, scanned.Time);
        hash.Append(time);
        Append(hash, scanned.InsertId.IsNone ? insertId : TextOf(scanned.InsertId.In(record)));
        var withoutUser = hash.GetCurrentHashAsUInt128();
        Append(hash, scanned.DistinctId.IsNone ? [] : TextOf(scanned.DistinctId.In(record)));
        return new(hash.GetCurrentHashAsUInt128(), withoutUser);
    }

    /// <summary>Appends the length before the text, so that different lists of texts never have the same bytes.</summary>
    static void Append(XxHash128 hash, ReadOnlySpan<byte> text)
    {
        Span<byte> length = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(length, text.Length);
        hash.Append(length);
        hash.Append(text);
    }

    static ReadOnlySpan<byte> TextOf(ReadOnlySpan<byte> quoted) => quoted.Contains((byte)'\\') ? JsonValues.Unescaped(quoted[1..^1]) : quoted[1..^1];
}

/// <summary>The events of a day, as a count and order-independent hashes.</summary>
sealed record DaySum
{
    /// <summary>The day, in UTC.</summary>
    public required DateOnly Day { get; init; }

    public long Count { get; init; }

    /// <summary>The sum of the identities.</summary>
    public UInt128 Whole { get; init; }

    /// <summary>The sum without users, because projects may identify users differently.</summary>
    public UInt128 WithoutUser { get; init; }

    [JsonIgnore]
    public (long, UInt128, UInt128) All => (Count, Whole, WithoutUser);

    public DaySum And(EventIdentity identity) =>
        this with { Count = Count + 1, Whole = Whole + identity.Whole, WithoutUser = WithoutUser + identity.WithoutUser };

    public DaySum And(DaySum other) => this with { Count = Count + other.Count, Whole = Whole + other.Whole, WithoutUser = WithoutUser + other.WithoutUser };
}
