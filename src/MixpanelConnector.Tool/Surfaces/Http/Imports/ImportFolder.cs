using MixpanelConnector.Files;
using MixpanelConnector.Sqlite;

namespace MixpanelConnector.Tool.Surfaces.Http.Imports;

/// <summary>The files of an import on disk: its body, its state, and its dead-letter file in the state's folder.</summary>
sealed class ImportFolder(string path)
{
    const string BodyName = "body";
    const string StateName = "state";
    const string DeadLettersName = "dead-letters.ndjson";

    public string Id { get; } = System.IO.Path.GetFileName(path);

    public string Path => path;

    public string Body => System.IO.Path.Combine(path, BodyName);

    public string State => System.IO.Path.Combine(path, StateName);

    string DeadLetters => System.IO.Path.Combine(State, DeadLettersName);

    /// <summary>The total size.</summary>
    public long Bytes => Directory.Exists(path) ? new DirectoryInfo(path).EnumerateFiles("*", SearchOption.AllDirectories).Sum(Length) : 0;

    public long DeadLetterBytes => Length(new FileInfo(DeadLetters));

    /// <summary>Makes the file names in it durable.</summary>
    /// <exception cref="IOException">The disk failed.</exception>
    public void Sync()
    {
        Durable.SyncFolder(path);
        Durable.SyncFolder(System.IO.Path.GetDirectoryName(path)!);
    }

    public SqliteImportState OpenState() => SqliteImportState.Open(State, restart: false, FieldWords.Instance);

    /// <summary>Writes the dead-letter file of a state that has not written it itself.</summary>
    /// <exception cref="ImportStateException">The state cannot be read, or the file cannot be written.</exception>
    public void KeepDeadLetters()
    {
        if (!Directory.Exists(State)) return;
        using var state = OpenState();
        KeepDeadLetters(state);
    }

    /// <exception cref="ImportStateException">The state cannot be read, or the file cannot be written.</exception>
    public void KeepDeadLetters(IImportState state)
    {
        if (state.DeadLetters().Any()) ImportDeadLetters.Write(state, DeadLetters);
    }

    /// <summary>Opens the dead letters as they are now, whatever happens to the import while they are read; null if there are none.</summary>
    public FileStream? ReadDeadLetters() =>
        File.Exists(DeadLetters)
            ? new FileStream(DeadLetters, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0,
                FileOptions.Asynchronous | FileOptions.SequentialScan)
            : null;

    /// <summary>Deletes what a finished import no longer needs; its dead letters are kept.</summary>
    /// <exception cref="ImportStateException">The dead letters are only in the state, and cannot be read from it.</exception>
    public void DeleteButDeadLetters(bool hasDeadLetters)
    {
        if (hasDeadLetters && DeadLetterBytes == 0) KeepDeadLetters();
        File.Delete(Body);
        if (!Directory.Exists(State)) return;
        foreach (var file in Directory.EnumerateFiles(State).Where(file => System.IO.Path.GetFileName(file) != DeadLettersName)) File.Delete(file);
        if (DeadLetterBytes == 0) Directory.Delete(State, recursive: true);
    }

    public void Delete()
    {
        if (Directory.Exists(path)) Directory.Delete(path, recursive: true);
    }

    /// <summary>Removes local paths from a text; they must not be disclosed to callers.</summary>
    public string Shown(string text) => text
        .Replace(DeadLetters, $"{ImportRoutes.Path}/{Id}/dead-letters", StringComparison.Ordinal)
        .Replace(Body, BodyName, StringComparison.Ordinal)
        .Replace(path, Id, StringComparison.Ordinal)
        .Replace(System.IO.Path.GetDirectoryName(path)!, "imports", StringComparison.Ordinal)
        .Replace(System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetTempPath()), "the temporary folder", StringComparison.Ordinal);

    static long Length(FileInfo file)
    {
        try
        {
            return file.Length;
        }
        catch (IOException)
        {
            return 0; // it no longer exists
        }
    }
}
