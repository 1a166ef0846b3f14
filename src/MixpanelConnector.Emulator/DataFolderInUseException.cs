namespace MixpanelConnector.Emulator;

/// <summary>The exception that is thrown when another embedded Mixpanel already serves the data folder.</summary>
public sealed class DataFolderInUseException : IOException
{
    /// <summary>Creates the exception for a folder that is in use.</summary>
    /// <param name="dataDirectory">The folder.</param>
    /// <param name="address">The address of the instance that serves it, if known.</param>
    public DataFolderInUseException(string dataDirectory, Uri? address)
        : base(address is null
            ? $"'{dataDirectory}' is in use by another process."
            : $"'{dataDirectory}' is already served at {address}.")
    {
        DataDirectory = dataDirectory;
        Address = address;
    }

    /// <summary>The folder.</summary>
    public string DataDirectory { get; }

    /// <summary>The address of the instance that serves it; null if it does not answer (yet).</summary>
    public Uri? Address { get; }
}
