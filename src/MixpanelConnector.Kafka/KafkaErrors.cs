using Confluent.Kafka;
using MixpanelConnector.Queues;

namespace MixpanelConnector.Kafka;

/// <summary>The errors that the client reports separately from its calls: the cause of an unanswered call is reported only here.</summary>
sealed class KafkaErrors(string brokers, MessageWords words)
{
    Error? _refusal;
    Error? _fatal;

    public string Brokers => brokers;

    /// <summary>The error after which the client is unusable; null as long as there is none.</summary>
    public QueueException? Fatal => _fatal is { } fatal ? Of(fatal) : null;

    /// <summary>Called when the broker responded normally: earlier rejections no longer apply.</summary>
    public void Clear() => _refusal = null;

    public void Take(Error error)
    {
        if (FaultOf(error) is QueueFault.Forbidden or QueueFault.Unconfigured) _refusal = error;
        if (error.IsFatal) _fatal = error;
    }

    public QueueException Of(Error error, Exception? cause = null)
    {
        var (fault, reason) = _refusal is { } refusal && error.IsLocalError ? (FaultOf(refusal), refusal.Reason) : (FaultOf(error), error.Reason);
        return new(fault, fault switch
        {
            QueueFault.Forbidden => $"Kafka at {brokers} rejects the user or denies access: {reason}.",
            QueueFault.Unconfigured => $"The certificate of Kafka at {brokers} is not trusted: {reason}. Name its certificate authority with {words[Setting.OfQueue(nameof(QueueOptions.CaFile))]}.",
            QueueFault.Missing => $"Kafka at {brokers} has no such topic: {reason}.",
            QueueFault.Refused => $"Kafka at {brokers} rejects the message: {reason}.",
            QueueFault.Full => $"Kafka at {brokers} accepts no more messages at the moment: {reason}.",
            _ => $"Kafka at {brokers} cannot be reached, or does not respond: {reason}.",
        }, cause);
    }

    static QueueFault FaultOf(Error error) => error.Code switch
    {
        ErrorCode.Local_Authentication or ErrorCode.SaslAuthenticationFailed or ErrorCode.TopicAuthorizationFailed or ErrorCode.GroupAuthorizationFailed
            or ErrorCode.ClusterAuthorizationFailed or ErrorCode.UnsupportedSaslMechanism or ErrorCode.IllegalSaslState => QueueFault.Forbidden,
        ErrorCode.Local_Ssl => QueueFault.Unconfigured,
        ErrorCode.UnknownTopicOrPart or ErrorCode.Local_UnknownTopic or ErrorCode.Local_UnknownPartition => QueueFault.Missing,
        ErrorCode.MsgSizeTooLarge or ErrorCode.InvalidMsg or ErrorCode.InvalidRecord => QueueFault.Refused,
        ErrorCode.Local_QueueFull or ErrorCode.ThrottlingQuotaExceeded => QueueFault.Full,
        _ => QueueFault.Unavailable,
    };
}
