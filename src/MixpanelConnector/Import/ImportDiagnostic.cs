namespace MixpanelConnector;

/// <summary>A record that was not accepted, or a warning about an input. Holds no property value; names come from outside and need cleaning before they are printed.</summary>
/// <param name="Source">The input's name as the caller gave or found it.</param>
/// <param name="Line">The line that the record begins on, from 1; null when the whole input is meant.</param>
/// <param name="Code">A stable name of the reason, such as <c>invalid_json</c>.</param>
/// <param name="Reason">The reason in words.</param>
public sealed record ImportDiagnostic(string Source, long? Line, string Code, string Reason)
{
    /// <summary>The field at fault, such as <c>properties.time</c>; null when the record as a whole is.</summary>
    public string? Field { get; init; }
}

/// <summary>How far an import is. Counts are records, and begin at 0 in each run.</summary>
public sealed record ImportProgress
{
    /// <summary>Records read from the inputs in this run.</summary>
    public required long Read { get; init; }

    /// <summary>Records that Mixpanel accepted in this run.</summary>
    public required long Accepted { get; init; }

    /// <summary>Records that were not accepted in this run.</summary>
    public required long Rejected { get; init; }

    /// <summary>Requests sent in this run.</summary>
    public required long Requests { get; init; }

    /// <summary>Requests of this run that repeated one whose outcome was not final.</summary>
    public required long Retries { get; init; }

    /// <summary>Bytes of the inputs read so far, as they lie on the disk.</summary>
    public required long InputBytes { get; init; }

    /// <summary>The size of all inputs; null when one of them is a stream.</summary>
    public long? TotalInputBytes { get; init; }

    /// <summary>Whether sending is paused because Mixpanel asked for it or cannot be reached.</summary>
    public bool Waiting { get; init; }

    /// <summary>The records a second that Mixpanel's quota seems to allow, by what it took and refused in this run; null while it refused nothing for it.</summary>
    public double? QuotaRate { get; init; }
}
