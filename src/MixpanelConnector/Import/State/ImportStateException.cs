namespace MixpanelConnector;

/// <summary>What is wrong with the state of an import.</summary>
public enum ImportStateFault
{
    /// <summary>It is damaged or missing, or is not the state of an import.</summary>
    Damaged,

    /// <summary>Another import is using it.</summary>
    Busy,

    /// <summary>The disk failed: it is full or read-only, or there was an I/O error.</summary>
    Unwritable,
}

/// <summary>The state of an import cannot be used. The message names it and says what to do next.</summary>
public sealed class ImportStateException : Exception
{
    /// <summary>Initializes the exception.</summary>
    /// <param name="fault">What is wrong.</param>
    /// <param name="message">What failed, and what to do next.</param>
    /// <param name="innerException">The cause, if any.</param>
    public ImportStateException(ImportStateFault fault, string message, Exception? innerException = null)
        : base(message, innerException) => Fault = fault;

    /// <summary>What is wrong.</summary>
    public ImportStateFault Fault { get; }

    /// <summary>The outcome of the run that needed the state.</summary>
    public RunOutcome Outcome => Fault is ImportStateFault.Busy ? RunOutcome.Busy : RunOutcome.DiskFailed;
}
