using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.Data.Sqlite;
using MixpanelConnector.Files;

namespace MixpanelConnector.Sqlite;

/// <summary>The folder of an import's state: its files, and the errors that name it.</summary>
/// <param name="path">The full path.</param>
/// <param name="words">The words of its messages.</param>
sealed class StateFolder(string path, MessageWords words)
{
    public const string DatabaseName = "import.db";
    public const string MarkerName = "import.created";
    public const string DeadLettersName = "dead-letters.ndjson";
    public const int BusyCode = 5;

    const string HolderName = "import.holder";
    const int CorruptCode = 11;
    const int NotADatabaseCode = 26;

    /// <summary>What the program notes about an import next to its state: its progress, and how it ended.</summary>
    static readonly string[] NotesOfProgram = ["progress.json", "ended.json"];

    public MessageWords Words => words;

    public string Database => Path.Combine(path, DatabaseName);

    public string Log => $"{Database}-wal";

    /// <summary>Exists as soon as the state does, so that a missing database is not mistaken for a new one.</summary>
    public string Marker => Path.Combine(path, MarkerName);

    /// <summary>Contains the process that has locked the state.</summary>
    public string Holder => Path.Combine(path, HolderName);

    public string DeadLetters => Path.Combine(path, DeadLettersName);

    public IReadOnlyCollection<string> Files =>
    [
        Marker,
        Database,
        Log,
        $"{Database}-shm",
        $"{Database}-journal",
        Holder,
        DeadLetters,
        .. NotesOfProgram.Select(name => Path.Combine(path, name)),
    ];

    public bool IsState => File.Exists(Database) || File.Exists(Marker);

    public static implicit operator string(StateFolder folder) => folder.ToString();

    public override string ToString() => path;

    /// <summary>Ensures that the folder is accessible only to its owner, and that nobody else has replaced one of its files with a link or a file.</summary>
    public void Prepare(Action<string> makeOrFind)
    {
        try
        {
            OnDisk(() =>
            {
                makeOrFind(path);
                foreach (var file in Files.Where(file => file != DeadLetters)) Durable.EnsureOwned(file); // that one is replaced, never written through
            });
        }
        catch (ImportStateException e) when (e.InnerException is NotOursException cause)
        {
            throw new ImportStateException(ImportStateFault.Unwritable, $"The state cannot be stored safely: {cause.Message} Nothing was sent.", cause);
        }
    }

    /// <summary>Works with files.</summary>
    /// <exception cref="ImportStateException">The disk failed.</exception>
    public void OnDisk(Action work)
    {
        try
        {
            work();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unwritable(e);
        }
    }

    /// <summary>Works with the database.</summary>
    /// <exception cref="ImportStateException">Another import is using it, it is damaged, or the disk failed.</exception>
    public T InDatabase<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (SqliteException e) when (e.SqliteErrorCode == BusyCode)
        {
            throw new ImportStateException(ImportStateFault.Busy,
                $"Another import{HeldBy()} uses the state in {path}. Wait until it ends, or name another folder with {words[Setting.State]}.", e);
        }
        catch (SqliteException e) when (e.SqliteErrorCode is CorruptCode or NotADatabaseCode or 1)
        {
            throw Damaged(e);
        }
        catch (SqliteException e)
        {
            throw new ImportStateException(ImportStateFault.Unwritable,
                $"The state in {path} cannot be read or written: {e.Message} Free or repair the disk, and {words.RunAgain}.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unwritable(e);
        }
        catch (Exception e) when (e is FormatException or InvalidCastException or InvalidOperationException or JsonException or DecoderFallbackException)
        {
            throw Damaged(e); // a value of a different type than was written
        }
    }

    public ImportStateException Damaged(Exception? cause = null) =>
        new(ImportStateFault.Damaged,
            $"The state in {path} is damaged: what was imported is not known for certain. Restore it from a backup, "
            + $"or begin again with {words[Setting.Restart]}.", cause);

    /// <summary>The time of the last write to a file; null if it does not exist or cannot be seen.</summary>
    public static DateTimeOffset? Written(string file)
    {
        try
        {
            return File.Exists(file) ? new DateTimeOffset(File.GetLastWriteTimeUtc(file)) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    ImportStateException Unwritable(Exception cause) =>
        new(ImportStateFault.Unwritable, $"The state in {path} cannot be written: {cause.Message} Free or repair the disk, and {words.RunAgain}.", cause);

    string HeldBy()
    {
        try
        {
            return int.TryParse(File.ReadAllText(Holder), CultureInfo.InvariantCulture, out var process)
                ? string.Create(CultureInfo.InvariantCulture, $" (process {process})")
                : "";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
