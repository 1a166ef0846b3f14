namespace MixpanelConnector.Emulator;

/// <summary>Another embedded Mixpanel serves this data folder already.</summary>
public sealed class DataFolderInUseException : IOException
{
    /// <summary>Says which folder is in use, and by whom.</summary>
    /// <param name="dataDirectory">The folder.</param>
    /// <param name="address">Where the one that serves it listens, when known.</param>
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

    /// <summary>Where the one that serves it listens; null when it does not answer (yet).</summary>
    public Uri? Address { get; }
}
