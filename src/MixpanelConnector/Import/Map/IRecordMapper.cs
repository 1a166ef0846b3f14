using System.Runtime.InteropServices;
using MixpanelConnector.Import.Decode;

namespace MixpanelConnector.Import.Map;

/// <summary>Makes records of records, before they are checked: of one several, or none.</summary>
interface IRecordMapper
{
    /// <summary>Whether what follows depends on what came before in its source.</summary>
    bool Recalls { get; }

    /// <summary>Whether what follows depends on what came before, in this source and in those before it.</summary>
    bool RecallsAll { get; }

    /// <summary>Begins a source.</summary>
    void Begin(string sourceId, string fileName);

    /// <summary>Begins with a record, whose records <see cref="TryNext"/> gives; false when it is to be taken as it was read: a blank line, or one that is refused already.</summary>
    bool Begin(scoped in Record record);

    /// <summary>Gives the next of those that the record becomes, good until the one after it; of one that becomes nothing, why. False when there are no more.</summary>
    bool TryNext(out Record record, out MapOutput output);
}

/// <summary>What is known of one of the records that a record became.</summary>
/// <param name="LeftOut">Why it becomes nothing; null where it becomes something.</param>
/// <param name="Prefixed">How many of its properties begin with the vendor's name.</param>
/// <param name="IsNobodys">Whether it is an event of nobody.</param>
/// <param name="IsAmbiguous">Whether its time exists twice in the zone that it was written in.</param>
[StructLayout(LayoutKind.Auto)]
readonly record struct MapOutput(string? LeftOut = null, int Prefixed = 0, bool IsNobodys = false, bool IsAmbiguous = false);

/// <summary>What makes records of records in place of a mapping by rules.</summary>
/// <param name="fingerprint">Shows whether it makes the same of them.</param>
abstract class RecordPreparation(string fingerprint)
{
    public string Fingerprint => fingerprint;

    public abstract IRecordMapper NewMapper();
}
