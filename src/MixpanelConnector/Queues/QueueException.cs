namespace MixpanelConnector.Queues;

enum QueueFault
{
    /// <summary>The address or a setting is at fault: nothing was connected.</summary>
    Unconfigured,

    /// <summary>There is no such queue or topic.</summary>
    Missing,

    /// <summary>The credentials are not accepted, or lack a permission.</summary>
    Forbidden,

    /// <summary>No answer, or a lost connection: a retry may succeed.</summary>
    Unavailable,

    /// <summary>The queue is full.</summary>
    Full,

    /// <summary>The broker would refuse this message at any time.</summary>
    Refused,
}

/// <summary>A failed broker operation. The message is a sentence, without credentials.</summary>
sealed class QueueException(QueueFault fault, string message, Exception? innerException = null) : Exception(message, innerException)
{
    public QueueFault Fault => fault;

    /// <summary>What only helps on this machine, such as a path; null when there is nothing.</summary>
    public string? LocalDetail { get; init; }

    /// <summary>Whether a published message may be in the queue nevertheless. Default: false.</summary>
    public bool MayHaveArrived { get; init; }

    public RunOutcome Outcome => fault switch
    {
        QueueFault.Unconfigured => RunOutcome.Invalid,
        QueueFault.Missing => RunOutcome.Damaged,
        QueueFault.Forbidden => RunOutcome.NotAllowed,
        _ => RunOutcome.Unavailable,
    };
}
