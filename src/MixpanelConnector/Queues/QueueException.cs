namespace MixpanelConnector.Queues;

enum QueueFault
{
    /// <summary>The address or a setting is at fault: nothing was connected.</summary>
    Unconfigured,

    /// <summary>There is no such queue or topic.</summary>
    Missing,

    /// <summary>The credentials are not accepted, or do not allow it.</summary>
    Forbidden,

    /// <summary>No answer, or a connection that is gone: it may be there again next time.</summary>
    Unavailable,

    /// <summary>The queue takes nothing more: it is full.</summary>
    Full,

    /// <summary>It would not take this message whenever it came.</summary>
    Refused,
}

/// <summary>A broker did not do what it was asked for. The message is a sentence, without credentials.</summary>
sealed class QueueException(QueueFault fault, string message, Exception? innerException = null) : Exception(message, innerException)
{
    public QueueFault Fault => fault;

    /// <summary>Whether what was published may be in the queue all the same. Default: false.</summary>
    public bool MayHaveArrived { get; init; }

    public RunOutcome Outcome => fault switch
    {
        QueueFault.Unconfigured => RunOutcome.Invalid,
        QueueFault.Missing => RunOutcome.Damaged,
        QueueFault.Forbidden => RunOutcome.NotAllowed,
        _ => RunOutcome.Unavailable,
    };
}
