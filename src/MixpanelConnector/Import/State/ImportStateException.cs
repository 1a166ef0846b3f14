namespace MixpanelConnector;

/// <summary>What is wrong with the state of an import.</summary>
public enum ImportStateFault
{
    /// <summary>It is damaged, or vanished, or is no state of an import.</summary>
    Damaged,

    /// <summary>Another import holds it.</summary>
    Busy,

    /// <summary>The disk failed: full, read-only, or an error of input and output.</summary>
    Unwritable,
}

/// <summary>The state of an import cannot be used. The message says where and what to do next.</summary>
public sealed class ImportStateException : Exception
{
    /// <summary>Makes an exception.</summary>
    /// <param name="fault">What is wrong.</param>
    /// <param name="message">Where, and what to do next.</param>
    /// <param name="innerException">The cause, when there is one.</param>
    public ImportStateException(ImportStateFault fault, string message, Exception? innerException = null)
        : base(message, innerException) => Fault = fault;

    /// <summary>What is wrong.</summary>
    public ImportStateFault Fault { get; }

    /// <summary>How what needed the state ended.</summary>
    public RunOutcome Outcome => Fault is ImportStateFault.Busy ? RunOutcome.Busy : RunOutcome.DiskFailed;
}
