using System.Runtime.InteropServices;
using MixpanelConnector.Import.Decode;

namespace MixpanelConnector.Import.Map;

/// <summary>Converts records, before they are checked: each to one, several or none.</summary>
interface IRecordMapper
{
    /// <summary>Whether the results depend on earlier records of the source.</summary>
    bool Recalls { get; }

    /// <summary>Whether the results depend on earlier records of this source and of those before it.</summary>
    bool RecallsAll { get; }

    /// <summary>Begins a source.</summary>
    /// <param name="sourceId">Identifies it.</param>
    /// <param name="table">The name of its table: see <see cref="RecordMapper.TableOf"/>.</param>
    /// <param name="lacksLookups">Whether lookups could not read it.</param>
    void Begin(string sourceId, string table, bool lacksLookups = false);

    /// <summary>
    /// Begins a record, whose results <see cref="TryNext"/> returns. False when it is to be used as read: a blank line, or one that was already rejected.
    /// </summary>
    bool Begin(scoped in Record record);

    /// <summary>
    /// Returns the next result of the record, valid until the following one; for one that is left out, the reason. False when there are no more.
    /// </summary>
    bool TryNext(out Record record, out MapOutput output);
}

/// <summary>Details of one result of mapping a record.</summary>
/// <param name="LeftOut">Why it is left out; null when it is not.</param>
/// <param name="Prefixed">The number of its properties that were prefixed with the vendor's name.</param>
/// <param name="IsNobodys">Whether it is an event without a user.</param>
/// <param name="IsAmbiguous">Whether its time occurs twice in its time zone.</param>
/// <param name="Unconverted">The number of values that it lacks because they could not be converted.</param>
/// <param name="FirstUnconverted">The path of the first of these, if it is the first of all.</param>
[StructLayout(LayoutKind.Auto)]
readonly record struct MapOutput(string? LeftOut = null, int Prefixed = 0, bool IsNobodys = false, bool IsAmbiguous = false, int Unconverted = 0,
    string? FirstUnconverted = null);

/// <summary>A conversion of records that is used instead of a mapping by rules.</summary>
/// <param name="fingerprint">Shows whether the conversion is the same.</param>
abstract class RecordPreparation(string fingerprint)
{
    public string Fingerprint => fingerprint;

    public abstract IRecordMapper NewMapper();
}
