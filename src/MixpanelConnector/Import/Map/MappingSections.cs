using System.Collections.Frozen;
using MixpanelConnector.Import.Decode;

namespace MixpanelConnector.Import.Map;

/// <summary>A rule for records that are left out or rejected.</summary>
/// <param name="When">The condition for these records.</param>
/// <param name="Reason">The reason under which they are counted, or for which they are rejected.</param>
/// <param name="Refuses">Whether they are rejected, because the mapping is not meant for them.</param>
sealed record Exclusion(MappingCondition When, string Reason, bool Refuses)
{
    /// <summary>The field for which records are rejected; null when they are as a whole.</summary>
    public string? Field { get; init; }

    public Rejection Rejection => new("not_mapped", Field, Reason);

    /// <summary>Whether lookups read these records, which are rejected where none can.</summary>
    public bool IsLookedUp { get; init; }
}

/// <summary>A property of a mapped record.</summary>
/// <param name="Name">Its name as JSON, without quotes.</param>
/// <param name="Value">Its value; if it is absent, the property is omitted.</param>
sealed record MappedProperty(byte[] Name, MappingValue Value)
{
    /// <summary>Identifies the property.</summary>
    public ulong Hash { get; } = RecordMapper.HashOfRaw(Name);
}

/// <summary>The members of an object, or the elements of a list, that become properties under their own names.</summary>
/// <param name="From">The object or list.</param>
sealed record Spread(MappingValue From)
{
    /// <summary>The name of each element; null for members.</summary>
    public MappingValue? Key { get; init; }

    /// <summary>The value of each element, or of each member if it is converted; null for the member's own value.</summary>
    public MappingValue? Value { get; init; }

    /// <summary>When each was set, of which the newest takes precedence; null for the time of the record.</summary>
    public MappingValue? Time { get; init; }

    /// <summary>New names, by the hashes of the original names.</summary>
    public required Dictionary<ulong, byte[]> Names { get; init; }

    /// <summary>The hashes of names to omit.</summary>
    public required HashSet<ulong> Drop { get; init; }

    /// <summary>The hashes of names to omit where other rules have read all of the entry.</summary>
    public IReadOnlySet<ulong> Used { get; init; } = FrozenSet<ulong>.Empty;

    /// <summary>Whether several with the same name become a list.</summary>
    public bool Groups { get; init; }

    /// <summary>Whether an entry without a value is rejected if it contains anything but its name and time.</summary>
    public bool NeedsValues { get; init; }

    /// <summary>Names, or prefixes of names, to include; empty for all.</summary>
    public IReadOnlyList<byte[]> Keep { get; init; } = [];

    /// <summary>Prefixes of names to omit.</summary>
    public IReadOnlyList<byte[]> DropPrefixes { get; init; } = [];
}

/// <summary>A form of <c>$insert_id</c>: a single value, hashed only if Mixpanel does not accept it; or a hash of several.</summary>
/// <param name="Id">The value; null for a hash.</param>
/// <param name="Hashed">The values to hash.</param>
/// <param name="Counted">Whether the values may occur repeatedly, so that the number of the occurrence is part of the hash.</param>
sealed record InsertIdForm(MappingValue? Id, IReadOnlyList<MappingValue> Hashed, bool Counted);

/// <summary>The rules for each record in a run.</summary>
abstract record MappingSection
{
    /// <summary>The values in the record that are mapped individually; null when the record itself is mapped.</summary>
    public MappingValue? Each { get; init; }

    /// <summary>Whether members of these values are read, so that they must be objects.</summary>
    public bool EachHasMembers { get; init; }

    /// <summary>Whether the mapping reads the name of each value.</summary>
    public bool EachHasKeys { get; init; }

    /// <summary>The records to leave out or reject.</summary>
    public required IReadOnlyList<Exclusion> LeaveOut { get; init; }
}

sealed record EventSection : MappingSection
{
    public required MappingValue Event { get; init; }

    public required MappingValue Time { get; init; }

    public TimeUnit TimeUnit { get; init; }

    public required IReadOnlyList<InsertIdForm> InsertId { get; init; }

    public MappingValue? UserId { get; init; }

    public MappingValue? DeviceId { get; init; }

    public required IReadOnlyList<MappedProperty> Properties { get; init; }

    public required IReadOnlyList<Spread> Spread { get; init; }
}

/// <summary>An operation of an update.</summary>
/// <param name="Name">Its name as JSON.</param>
/// <param name="Properties">Properties by rules.</param>
/// <param name="Spread">Properties under their own names.</param>
sealed record UpdateOperation(byte[] Name, IReadOnlyList<MappedProperty> Properties, IReadOnlyList<Spread> Spread);

sealed record UpdateSection : MappingSection
{
    public required MappingValue Id { get; init; }

    /// <summary>The anonymous id, used when there is no other; null for none.</summary>
    public MappingValue? DeviceId { get; init; }

    /// <summary>The time of the update: for each property, the newest takes precedence. If null, the last in the files does.</summary>
    public MappingValue? Time { get; init; }

    public TimeUnit TimeUnit { get; init; }

    public required IReadOnlyList<UpdateOperation> Operations { get; init; }

    /// <summary>The list of properties to remove.</summary>
    public MappingValue? Unset { get; init; }
}

/// <summary>How rows of text are read.</summary>
/// <param name="Delimiter">The cell delimiter; null to detect it.</param>
/// <param name="Quote">The quote character; null for none.</param>
/// <param name="Escape">The escape character; null for none.</param>
/// <param name="Columns">The names of the columns, when there is no header.</param>
/// <param name="ColumnsFrom">The file whose first line names the columns, if it is among the inputs; null for none.</param>
/// <param name="Encoding">The text encoding; null for UTF-8.</param>
/// <param name="AreText">Whether all cells are text, whatever they look like.</param>
/// <param name="TextColumns">The columns whose cells are text if not all are, such as ids.</param>
sealed record MappingRows(char? Delimiter, char? Quote, char? Escape, IReadOnlyList<string> Columns, string? ColumnsFrom, string? Encoding, bool AreText,
    IReadOnlySet<string> TextColumns);
