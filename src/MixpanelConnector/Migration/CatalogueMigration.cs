using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using MixpanelConnector.Files;
using MixpanelConnector.Import.Undelivered;

namespace MixpanelConnector.Migration;

/// <summary>The common base for schemas and annotations: a few objects that are migrated with the actions of the catalogue.</summary>
abstract class CatalogueMigration(MigrationRun run, string name)
{
    readonly List<DeadLetter> _rejected = [];

    protected MigrationRun Run => run;

    public MigrationCounts Counts { get; private set; } = MigrationCounts.None;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        run.Names.Add(name);
        run.Meter.Begin(name);
        if (run.Folder.SettledOf(name) is { } settled) Counts = settled.Counts;
        else await TakeAsync(cancellationToken).ConfigureAwait(false);
        run.Meter.Add(Counts);
    }

    protected abstract Task TakeAsync(CancellationToken cancellationToken);

    /// <summary>Updates the counts; records that are in no other count are pending.</summary>
    protected void Account(long read, long accepted, IReadOnlyDictionary<string, long>? leftOut = null)
    {
        leftOut ??= new Dictionary<string, long>(StringComparer.Ordinal);
        Counts = new()
        {
            Read = read,
            Accepted = accepted,
            Rejected = _rejected.Count,
            LeftOut = leftOut,
            Pending = read - accepted - _rejected.Count - leftOut.Values.Sum(),
        };
    }

    /// <summary>Adds an object that the target refused to the dead letters.</summary>
    protected void Reject(int index, ReadOnlySpan<byte> json, MixpanelError error)
    {
        var refusal = new Refusal("refused", error.Field, error.Message) { HttpStatus = error.HttpStatus, Attempts = 1 };
        _rejected.Add(DeadLetters.Of(name, index + 1, 0, json, oversized: null, options: default, in refusal));
        run.Request.Diagnostics?.Report(new ImportDiagnostic(name, index + 1, refusal.Code, refusal.Shown));
    }

    protected void Settle()
    {
        if (_rejected.Count > 0 && !run.Request.DryRun)
            DeadLetterFile.Write(run.Folder.RejectedOf(name), _rejected.Select(letter => (ReadOnlyMemory<byte>)letter.Json), CancellationToken.None);
        run.Folder.Settle(name, new(Counts));
    }
}

/// <summary>Migrates the schemas of the Lexicon. Schemas of the same names in the target are replaced.</summary>
sealed class SchemaMigration(MigrationRun run) : CatalogueMigration(run, "schemas")
{
    /// <summary>The number of schemas per request: Mixpanel allows five requests a minute.</summary>
    const int MostAtOnce = 1000;

    /// <summary>The maximum number of waits for Mixpanel's rate limit.</summary>
    const int MostWaits = 5;

    static readonly TimeSpan LimitOf = TimeSpan.FromMinutes(1);

    protected override async Task TakeAsync(CancellationToken cancellationToken)
    {
        var entries = (await LexiconActions.List.InvokeAsync(Run.Source, new(), cancellationToken).ConfigureAwait(false)).Results;
        Account(entries.Count, accepted: Run.Request.DryRun ? entries.Count : 0);
        for (var first = 0; first < entries.Count && !Run.Request.DryRun; first += MostAtOnce)
            await UploadAsync(entries, first, Math.Min(MostAtOnce, entries.Count - first), cancellationToken).ConfigureAwait(false);
        Settle();
    }

    /// <summary>Uploads schemas; if one of them is refused, uploads each half separately.</summary>
    async Task UploadAsync(IReadOnlyList<LexiconEntry> entries, int first, int count, CancellationToken cancellationToken)
    {
        var waits = 0;
        while (true)
        {
            try
            {
                await LexiconActions.Upload.InvokeAsync(Run.Target, new() { Entries = [.. entries.Skip(first).Take(count)] },
                    cancellationToken).ConfigureAwait(false);
                Account(entries.Count, Counts.Accepted + count);
                return;
            }
            catch (MixpanelException e) when (e.Error.Kind is ErrorKind.RateLimited && waits++ < MostWaits)
            {
                var wait = e.Error.RetryAfter ?? LimitOf;
                Run.Request.Notices?.Report(string.Create(CultureInfo.InvariantCulture,
                    $"Mixpanel accepts no more schemas for now: resuming in {wait.TotalSeconds:0} s."));
                await Task.Delay(wait, Run.Time, cancellationToken).ConfigureAwait(false);
            }
            catch (MixpanelException e) when (e.Error.Kind is ErrorKind.Rejected or ErrorKind.TooLarge or ErrorKind.InvalidInput)
            {
                if (count == 1)
                {
                    Reject(first, JsonSerializer.SerializeToUtf8Bytes(entries[first], MigrationCatalogueJson.Default.LexiconEntry), e.Error);
                    Account(entries.Count, Counts.Accepted);
                    return;
                }

                await UploadAsync(entries, first, count / 2, cancellationToken).ConfigureAwait(false);
                await UploadAsync(entries, first + (count / 2), count - (count / 2), cancellationToken).ConfigureAwait(false);
                return;
            }
        }
    }
}

/// <summary>
/// Migrates annotations with their tags. An annotation with a time and text that the target had at the start of the migration is left out; one that
/// a killed run created counts as accepted. Of duplicates, the target has as many as the source at the end.
/// </summary>
sealed class AnnotationMigration(MigrationRun run) : CatalogueMigration(run, "annotations")
{
    const string Present = "present";

    string PathOfPresent => Path.Combine(Run.Folder.WorkOf("annotations"), "present.json");

    protected override async Task TakeAsync(CancellationToken cancellationToken)
    {
        var annotations = (await AnnotationActions.List.InvokeAsync(Run.Source, new(), cancellationToken).ConfigureAwait(false)).Results;
        Account(annotations.Count, accepted: 0);
        var held = (await AnnotationActions.List.InvokeAsync(Run.Target, new(), cancellationToken).ConfigureAwait(false)).Results.Select(KeyOf).ToList();
        var (before, now) = (CountsOf(Before(held)), CountsOf(held));
        var tags = Run.Request.DryRun
            ? []
            : (await AnnotationActions.ListTags.InvokeAsync(Run.Target, new(), cancellationToken).ConfigureAwait(false)).Results.DistinctBy(tag => tag.Name,
                StringComparer.Ordinal)
                .ToDictionary(tag => tag.Name, tag => tag.Id, StringComparer.Ordinal);
        var (accepted, present) = (0L, 0L);
        var seen = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var index = 0; index < annotations.Count; index++)
        {
            var (annotation, key) = (annotations[index], KeyOf(annotations[index]));
            var number = seen[key] = seen.GetValueOrDefault(key) + 1;
            if (number <= before.GetValueOrDefault(key)) present++;
            else if (number <= now.GetValueOrDefault(key) || Run.Request.DryRun
                || await CreateAsync(index, annotation, tags, cancellationToken).ConfigureAwait(false))
                accepted++;
            Account(annotations.Count, accepted, present == 0 ? null : new Dictionary<string, long>(StringComparer.Ordinal) { [Present] = present });
        }

        Settle();
    }

    async Task<bool> CreateAsync(int index, Annotation annotation, Dictionary<string, long> tags, CancellationToken cancellationToken)
    {
        try
        {
            var ids = new List<long>();
            foreach (var name in (annotation.Tags ?? []).Select(tag => tag.Name).Distinct(StringComparer.Ordinal))
            {
                if (!tags.TryGetValue(name, out var id))
                    tags.Add(name,
                        id = (await AnnotationActions.CreateTag.InvokeAsync(Run.Target, new() { Name = name }, cancellationToken).ConfigureAwait(false)).Id);
                ids.Add(id);
            }

            await AnnotationActions.Create.InvokeAsync(Run.Target, new() { Date = MomentOf(annotation), Description = annotation.Description, Tags = ids },
                cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (MixpanelException e) when (e.Error.Kind is ErrorKind.Rejected or ErrorKind.TooLarge or ErrorKind.InvalidInput)
        {
            Reject(index, JsonSerializer.SerializeToUtf8Bytes(annotation, MigrationCatalogueJson.Default.Annotation), e.Error);
            return false;
        }
    }

    /// <summary>Returns the annotations that the target had when the migration first reached its annotations.</summary>
    List<string> Before(List<string> held)
    {
        if (Run.Request.DryRun) return held;
        if (File.Exists(PathOfPresent)) return [.. JsonSerializer.Deserialize(File.ReadAllBytes(PathOfPresent), MigrationCatalogueJson.Default.StringArray)!];
        OwnFolder.Make(Path.GetDirectoryName(PathOfPresent)!);
        NewFile.Write(PathOfPresent, JsonSerializer.SerializeToUtf8Bytes([.. held], MigrationCatalogueJson.Default.StringArray));
        return held;
    }

    static Dictionary<string, int> CountsOf(List<string> keys) => keys.CountBy(key => key, StringComparer.Ordinal).ToDictionary(StringComparer.Ordinal);

    static string KeyOf(Annotation annotation) => $"{MomentOf(annotation)}\n{annotation.Description}";

    /// <summary>Returns the time in the project's time zone, as an annotation is created with.</summary>
    static string MomentOf(Annotation annotation) =>
        annotation.Date.Length > 19 || annotation.Date.Contains('T', StringComparison.Ordinal)
            ? annotation.Date[..Math.Min(19, annotation.Date.Length)].Replace('T', ' ')
            : annotation.Date;
}

/// <summary>
/// Replaces lookup tables of the target by files. Tables of the source without a file are left out, because Mixpanel does not return their rows.
/// </summary>
sealed class LookupTableMigration(MigrationRun run)
{
    const string NotReadable = "not_readable";

    public MigrationCounts Counts { get; private set; } = MigrationCounts.None;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        run.Meter.Begin("lookup tables");
        var names = (await LookupTableActions.List.InvokeAsync(run.Source, new(), cancellationToken).ConfigureAwait(false)).Results.Select(table =>
            table.Name).ToList();
        var given = new Dictionary<Guid, string>(run.Request.LookupTables);
        var targets = given.Count == 0
            ? []
            : (await LookupTableActions.List.InvokeAsync(run.Target, new(), cancellationToken).ConfigureAwait(false)).Results.Where(table =>
                Guid.TryParse(table.Id, out _))
                .ToDictionary(table => Guid.Parse(table.Id), table => table.Name);
        var unread = names.Count;
        foreach (var id in given.Keys)
            if (targets.TryGetValue(id, out var name) && names.Remove(name)) unread--;
        Account(unread, given.Count, accepted: 0);
        var accepted = 0L;
        foreach (var (id, file) in given)
        {
            if (await ReplaceAsync(id, file, cancellationToken).ConfigureAwait(false)) accepted++;
            Account(unread, given.Count, accepted);
            if (run.Problems.AreFinal) break;
        }

        run.Meter.Add(Counts);
    }

    async Task<bool> ReplaceAsync(Guid id, string file, CancellationToken cancellationToken)
    {
        var work = run.Folder.WorkOf($"lookup-table-{id:D}");
        using var state = run.Request.DryRun ? null : run.Request.OpenState!(work);
        var report = await run.Target.ImportAsync(
            new()
            {
                Type = ImportType.LookupTable,
                TableId = id,
                Inputs = [file],
                DryRun = run.Request.DryRun,
                MaxOutage = run.Request.MaxOutage,
                Diagnostics = run.Request.Diagnostics,
            },
            state, cancellationToken).ConfigureAwait(false);
        foreach (var problem in report.Problems)
            run.Problems.Note(report.Outcome, problem,
                isFinal: report.Outcome is RunOutcome.NotAllowed or RunOutcome.Unavailable or RunOutcome.DiskFailed or RunOutcome.Busy or RunOutcome.Stopped);
        return report.Outcome is RunOutcome.Complete;
    }

    void Account(long unread, long given, long accepted) => Counts = MigrationCounts.None with
    {
        Read = unread + given,
        Accepted = accepted,
        LeftOut = unread == 0 ? MigrationCounts.None.LeftOut : new Dictionary<string, long>(StringComparer.Ordinal) { [NotReadable] = unread },
        Pending = given - accepted,
    };
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(LexiconEntry))]
[JsonSerializable(typeof(Annotation))]
[JsonSerializable(typeof(string[]))]
sealed partial class MigrationCatalogueJson : JsonSerializerContext;
