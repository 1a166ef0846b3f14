using MixpanelConnector.Import.Decode;

namespace MixpanelConnector.Import.Map;

/// <summary>A record that becomes nothing, and why.</summary>
/// <param name="When">Which records.</param>
/// <param name="Reason">What they are counted under; or why they are refused.</param>
/// <param name="Refuses">Whether they are refused: they are nothing that the mapping is for.</param>
sealed record Exclusion(MappingCondition When, string Reason, bool Refuses)
{
    public Rejection Rejection { get; } = new("not_mapped", null, Reason);
}

/// <summary>A property of the record that is made.</summary>
/// <param name="Name">Its name as JSON, without quotes.</param>
/// <param name="Value">Its value; where that is absent, there is no such property.</param>
sealed record MappedProperty(byte[] Name, MappingValue Value)
{
    /// <summary>Told apart by it from others.</summary>
    public ulong Hash { get; } = RecordMapper.HashOfRaw(Name);
}

/// <summary>The members of an object, or the elements of a list, that become properties of their own names.</summary>
/// <param name="From">The object or list.</param>
sealed record Spread(MappingValue From)
{
    /// <summary>Where they are elements: the name of each; null where they are members.</summary>
    public MappingValue? Key { get; init; }

    /// <summary>Where they are elements, or their values are to have another form: the value of each; null for the member's.</summary>
    public MappingValue? Value { get; init; }

    /// <summary>When each was set, where the newest wins; null for the time of the record.</summary>
    public MappingValue? Time { get; init; }

    /// <summary>Other names, by the hashes of the names that they have.</summary>
    public required Dictionary<ulong, byte[]> Names { get; init; }

    /// <summary>The hashes of names that are left out.</summary>
    public required HashSet<ulong> Drop { get; init; }

    /// <summary>Whether several of one name become a list of them.</summary>
    public bool Groups { get; init; }

    /// <summary>Beginnings of names, or whole ones, to which it is limited; empty for all.</summary>
    public IReadOnlyList<byte[]> Keep { get; init; } = [];

    /// <summary>Beginnings of names that are left out.</summary>
    public IReadOnlyList<byte[]> DropPrefixes { get; init; } = [];
}

/// <summary>A form of <c>$insert_id</c>: a value as it is, or hashed where Mixpanel does not take it; or a hash of several.</summary>
/// <param name="Id">The value; null for a hash.</param>
/// <param name="Hashed">What is hashed.</param>
/// <param name="Counted">Whether those may occur several times, and the how-manieth it is takes part.</param>
sealed record InsertIdForm(MappingValue? Id, IReadOnlyList<MappingValue> Hashed, bool Counted);

/// <summary>What a run makes of each record.</summary>
abstract record MappingSection
{
    /// <summary>What stands in the record and becomes one each; null where it becomes one itself.</summary>
    public MappingValue? Each { get; init; }

    /// <summary>The path of <see cref="Each"/> where it is one.</summary>
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

/// <summary>An operation of an update: what it sets.</summary>
/// <param name="Name">Its name as JSON.</param>
/// <param name="Properties">Properties by rules.</param>
/// <param name="Spread">Properties of their own names.</param>
sealed record UpdateOperation(byte[] Name, IReadOnlyList<MappedProperty> Properties, IReadOnlyList<Spread> Spread);

sealed record UpdateSection : MappingSection
{
    public required MappingValue Id { get; init; }

    /// <summary>The anonymous id, where there is no other; null for none.</summary>
    public MappingValue? DeviceId { get; init; }

    /// <summary>When it was so: of each property, the newest wins. Null where the last in the files does.</summary>
    public MappingValue? Time { get; init; }

    public TimeUnit TimeUnit { get; init; }

    public required IReadOnlyList<UpdateOperation> Operations { get; init; }

    /// <summary>A list of properties that are taken away.</summary>
    public MappingValue? Unset { get; init; }
}

/// <summary>How rows of text are read.</summary>
/// <param name="Delimiter">Between cells; null to find out.</param>
/// <param name="Quote">Around cells; null for none.</param>
/// <param name="Escape">Before what is text; null for none.</param>
/// <param name="Columns">The names of the columns where no header gives them.</param>
/// <param name="ColumnsFrom">The file whose first line names them, where it is among the inputs; null for none.</param>
/// <param name="Encoding">What they are written in; null for UTF-8.</param>
/// <param name="AreText">Whether cells are text, whatever they look like.</param>
/// <param name="TextColumns">The columns of which that is so where it is not of all, such as ids.</param>
sealed record MappingRows(char? Delimiter, char? Quote, char? Escape, IReadOnlyList<string> Columns, string? ColumnsFrom, string? Encoding, bool AreText, IReadOnlySet<string> TextColumns);
