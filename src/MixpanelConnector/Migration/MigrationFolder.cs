using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using MixpanelConnector.Files;
using MixpanelConnector.Import.Buffers;
using MixpanelConnector.Transport;

namespace MixpanelConnector.Migration;

/// <summary>
/// The state of a migration: <c>migration.json</c> identifies it; <c>work</c> has a folder for each day or part that is not settled, with the
/// download and the state of its import; <c>settled</c> has its counts once it is settled, and <c>rejected</c> its dead letters.
/// </summary>
sealed class MigrationFolder : IDisposable
{
    const string PlanName = "migration.json", Work = "work", OfSettled = "settled", OfRejected = "rejected";

    readonly string _path;
    readonly IDisposable? _lock;
    readonly bool _isTemporary;
    readonly MessageWords _words;

    MigrationFolder(string path, IDisposable? locked, bool isTemporary, MessageWords words) =>
        (_path, _lock, _isTemporary, _words) = (path, locked, isTemporary, words);

    static Setting Restart => Setting.OfMigration(nameof(MigrationRequest.Restart));

    /// <summary>The default destination of dead letters.</summary>
    public string DeadLetters => Path.Combine(_path, "dead-letters.ndjson");

    /// <summary>Opens the folder of a migration; for a dry run, a temporary one. Returns null when another run has locked it.</summary>
    /// <exception cref="MixpanelException">It belongs to another migration.</exception>
    /// <exception cref="ImportStateException">It is damaged.</exception>
    /// <exception cref="IOException">The disk failed.</exception>
    public static MigrationFolder? Open(MigrationRequest request, MixpanelOptions source, MixpanelOptions target)
    {
        if (request.DryRun)
        {
            var temporary = Path.Combine(TemporaryFile.Folder, $"mixpanel-{Path.GetRandomFileName()}");
            OwnFolder.Make(temporary);
            return Prepared(new(temporary, locked: null, isTemporary: true, source.Words));
        }

        var path = Path.TrimEndingDirectorySeparator(Path.GetFullPath(request.State!));
        OwnFolder.Make(path);
        if (FileLock.TryTakeFolder(path) is not { } locked) return null;
        var folder = new MigrationFolder(path, locked, isTemporary: false, source.Words);
        try
        {
            if (request.Restart) folder.Clear();
            folder.EnsureSame(new Plan(NameOf(source), NameOf(target), request.SourceTimeZone));
            return Prepared(folder);
        }
        catch
        {
            folder.Dispose();
            throw;
        }
    }

    /// <summary>Returns the name of a project, with its host.</summary>
    public static string NameOf(MixpanelOptions options) =>
        FormattableString.Invariant($"project {options.ProjectId} at {Hosts.BaseAddress(options, Api.App).AbsoluteUri.TrimEnd('/')}");

    /// <summary>Returns the folder for the unsettled data of a day or a part.</summary>
    public string WorkOf(string name) => Path.Combine(_path, Work, name);

    /// <summary>Returns the file of the dead letters of a day or a part.</summary>
    public string RejectedOf(string name) => Path.Combine(_path, OfRejected, $"{name}.ndjson");

    /// <summary>Returns the result of a day or a part; null when it is not settled.</summary>
    public Settled? SettledOf(string name)
    {
        var path = PathOfSettled(name);
        if (!File.Exists(path)) return null;
        try
        {
            if (JsonSerializer.Deserialize(File.ReadAllBytes(path), MigrationFolderJson.Default.Settled) is { } settled) return settled;
        }
        catch (JsonException)
        {
            // It is reported below.
        }

        throw Damaged(path);
    }

    /// <summary>Returns the results of all days.</summary>
    public IEnumerable<(DateOnly Day, Settled Settled)> SettledDays() =>
        from path in Directory.EnumerateFiles(Path.Combine(_path, OfSettled)).Order(StringComparer.Ordinal)
        let day = DateOnly.TryParseExact(Path.GetFileNameWithoutExtension(path), "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None,
            out var parsed)
            ? parsed
            : default(DateOnly?)
        where day is not null
        select (day.Value, SettledOf(Path.GetFileNameWithoutExtension(path))!);

    /// <summary>Stores the result of a day or a part, and then deletes its work folder.</summary>
    public void Settle(string name, Settled settled)
    {
        if (!_isTemporary) NewFile.Write(PathOfSettled(name), JsonSerializer.SerializeToUtf8Bytes(settled, MigrationFolderJson.Default.Settled));
        if (settled.Counts.Rejected == 0) File.Delete(RejectedOf(name));
        Forget(name);
    }

    /// <summary>Deletes the work folder of a day or a part.</summary>
    public void Forget(string name)
    {
        if (Directory.Exists(WorkOf(name))) Directory.Delete(WorkOf(name), recursive: true);
    }

    /// <summary>Returns all dead letters of days and parts, by name.</summary>
    public IEnumerable<ReadOnlyMemory<byte>> Rejected(IEnumerable<string> names)
    {
        foreach (var name in names.Where(name => File.Exists(RejectedOf(name))))
        {
            using var lines = new StreamReader(RejectedOf(name), Encoding.UTF8);
            while (lines.ReadLine() is { } line) yield return Encoding.UTF8.GetBytes(line);
        }
    }

    public void Dispose()
    {
        _lock?.Dispose();
        if (_isTemporary) Directory.Delete(_path, recursive: true);
    }

    static MigrationFolder Prepared(MigrationFolder folder)
    {
        foreach (var name in (string[])[Work, OfSettled, OfRejected]) OwnFolder.Make(Path.Combine(folder._path, name));
        return folder;
    }

    string PathOfSettled(string name) => Path.Combine(_path, OfSettled, $"{name}.json");

    void Clear()
    {
        // The plan is deleted last: whatever a process crash leaves still belongs to this migration.
        foreach (var name in (string[])[OfSettled, OfRejected, Work])
            if (Directory.Exists(Path.Combine(_path, name))) Directory.Delete(Path.Combine(_path, name), recursive: true);
        File.Delete(Path.Combine(_path, PlanName));
    }

    void EnsureSame(Plan plan)
    {
        var path = Path.Combine(_path, PlanName);
        if (!File.Exists(path))
        {
            NewFile.Write(path, JsonSerializer.SerializeToUtf8Bytes(plan, MigrationFolderJson.Default.Plan));
            return;
        }

        Plan? found;
        try
        {
            found = JsonSerializer.Deserialize(File.ReadAllBytes(path), MigrationFolderJson.Default.Plan);
        }
        catch (JsonException)
        {
            found = null;
        }

        if (found is null) throw Damaged(path);
        if ((found.From, found.To) != (plan.From, plan.To))
            throw MixpanelException.Invalid("state", $"{_path} contains another migration, from {found.From} to {found.To}: name another folder.");
        if (found.SourceTimeZone != plan.SourceTimeZone)
            throw MixpanelException.Invalid("source_time_zone",
                $"The migration was started with {(found.SourceTimeZone is { } zone ? $"the zone {zone}" : "times in UTC")}. Use the same again, or begin again with {_words[Restart]}: accepted events whose time then differs would count twice.");
    }

    ImportStateException Damaged(string path) =>
        new(ImportStateFault.Damaged, $"{path} is damaged. Restore it, or begin again with {_words[Restart]}: accepted records keep their ids and count once.");

    /// <summary>The result of a day or a part.</summary>
    /// <param name="Counts">Its counts.</param>
    public sealed record Settled(MigrationCounts Counts)
    {
        /// <summary>The sums of the accepted events, by the days of their true times.</summary>
        public IReadOnlyList<DaySum> Sums { get; init; } = [];

        /// <summary>The sum of the ids of the accepted profiles.</summary>
        public IdSum? Ids { get; init; }
    }

    internal sealed record Plan(string From, string To, string? SourceTimeZone);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(MigrationFolder.Settled))]
[JsonSerializable(typeof(MigrationFolder.Plan))]
sealed partial class MigrationFolderJson : JsonSerializerContext;
