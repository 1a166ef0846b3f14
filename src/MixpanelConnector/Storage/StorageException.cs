namespace MixpanelConnector.Storage;

enum StorageFault
{
    /// <summary>The address or a setting is at fault: nothing was asked for.</summary>
    Unconfigured,

    /// <summary>There is no such bucket, object or upload.</summary>
    Missing,

    /// <summary>The credentials are not accepted, or do not allow it.</summary>
    Forbidden,

    /// <summary>An object is not the one that was meant: it has changed, or another was made.</summary>
    Changed,

    /// <summary>No answer, or one that may be another next time.</summary>
    Unavailable,

    /// <summary>An answer that would be the same next time.</summary>
    Refused,
}

/// <summary>Object storage did not do what it was asked for. The message is a clause, without credentials: such as "it answered 403 AccessDenied".</summary>
sealed class StorageException(StorageFault fault, string message, Exception? innerException = null) : Exception(message, innerException)
{
    public StorageFault Fault => fault;

    /// <summary>How long it asked to wait.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>The same for whoever called the library.</summary>
    /// <param name="field">The input that names the address.</param>
    /// <param name="address">The address.</param>
    public MixpanelException Told(string field, string address) => new(
        new MixpanelError(
            fault switch
            {
                StorageFault.Unconfigured or StorageFault.Missing => ErrorKind.InvalidInput,
                StorageFault.Forbidden => ErrorKind.Forbidden,
                _ => ErrorKind.Unavailable,
            },
            $"{StorageScheme.Shown(address)} {(fault is StorageFault.Missing ? "does not exist" : $"cannot be used: {Message}")}.")
        {
            Field = fault is StorageFault.Unconfigured or StorageFault.Missing ? field : null,
        },
        this);
}
