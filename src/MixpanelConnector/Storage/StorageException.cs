namespace MixpanelConnector.Storage;

enum StorageFault
{
    /// <summary>The address or a setting is at fault: nothing was requested.</summary>
    Unconfigured,

    /// <summary>There is no such bucket, object or upload.</summary>
    Missing,

    /// <summary>The credentials are not accepted, or lack a permission.</summary>
    Forbidden,

    /// <summary>An object is not the expected one: it has changed, or was replaced.</summary>
    Changed,

    /// <summary>No answer, or an error for which a retry may succeed.</summary>
    Unavailable,

    /// <summary>An error that a retry would repeat.</summary>
    Refused,
}

/// <summary>A failed operation of object storage. The message is a clause, without credentials: such as "it answered 403 AccessDenied".</summary>
sealed class StorageException(StorageFault fault, string message, Exception? innerException = null) : Exception(message, innerException)
{
    public StorageFault Fault => fault;

    /// <summary>The time that it asked to wait.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>Converts it to the exception for the caller of the library.</summary>
    /// <param name="field">The input that contains the address.</param>
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
