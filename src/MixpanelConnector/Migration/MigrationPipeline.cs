using MixpanelConnector.Files;
using MixpanelConnector.Import.Undelivered;

namespace MixpanelConnector.Migration;

/// <summary>
/// Migrates a project's records to another project so that each is accounted for on both sides.
/// <code>
///  source ─► Export ─► what is downloaded ─► (duplicates) ─► Import: Map ─► … ─► target
///                               │                                 │
///                               └──── until it is settled ◄── its state ──► counts, dead letters
/// </code>
/// <list type="number">
/// <item>The folder of the migration is locked; it lists what is settled already.</item>
/// <item>Schemas come first, because they describe what follows; then lookup tables.</item>
/// <item>Events, day by day (<see cref="EventMigration"/>); profiles, and groups (<see cref="ProfileMigration"/>). Downloads go through
/// the import pipeline, with a state of their own; in its mapping step, <see cref="EventMapper"/> and <see cref="ProfileMapper"/> create the records to
/// send.</item>
/// <item>Annotations.</item>
/// <item>If requested, the target is read and compared (<see cref="EventVerification"/>).</item>
/// <item>All dead letters are written to one file.</item>
/// </list>
/// </summary>
sealed class MigrationPipeline(MigrationRequest request, MixpanelClient source, MixpanelClient target)
{
    static readonly string[] WithoutApi = ["cohorts", "boards", "custom properties"];

    readonly MigrationProblems _problems = new(source.Options.Words);
    EventMigration? _events;
    ProfileMigration? _profiles;
    List<(string Key, ProfileMigration Groups)> _groups = [];
    SchemaMigration? _schemas;
    LookupTableMigration? _tables;
    AnnotationMigration? _annotations;
    bool? _isVerified;
    string? _deadLetters;

    /// <exception cref="MixpanelException">An option or a setting is invalid, or the folder contains another migration. Nothing was sent.</exception>
    public async Task<MigrationReport> RunAsync(CancellationToken cancellationToken)
    {
        var time = source.Options.TimeProvider;
        var started = time.GetTimestamp();
        try
        {
            if (request.DeadLetterPath is { } letters) OutputFile.EnsureWritable(letters);
            using var folder = MigrationFolder.Open(request, source.Options, target.Options);
            if (folder is null) _problems.Note(RunOutcome.Busy, $"Another run of the migration is active in {request.State}.");
            else await RunAsync(new MigrationRun(request, source, target, folder, _problems), cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is ImportStateException or IOException or UnauthorizedAccessException)
        {
            _problems.Note(e, cancellationToken);
        }

        return Report(Math.Round(time.GetElapsedTime(started).TotalSeconds, 3));
    }

    async Task RunAsync(MigrationRun run, CancellationToken cancellationToken)
    {
        if (request.Takes(MigrationParts.Groups) && request.Groups.Count == 0)
            request.Notices?.Report($"No groups are migrated: name them with {source.Options.Words[Setting.OfMigration(nameof(MigrationRequest.Groups)).With("KEY=DATA_GROUP_ID")]}.");
        if (request.Takes(MigrationParts.Schemas)) _schemas = new SchemaMigration(run);
        if (request.Takes(MigrationParts.LookupTables)) _tables = new LookupTableMigration(run);
        if (request.Takes(MigrationParts.Events)) _events = new EventMigration(run);
        if (request.Takes(MigrationParts.Profiles)) _profiles = new ProfileMigration(run, group: null);
        if (request.Takes(MigrationParts.Groups))
            _groups =
            [
                .. request.Groups.OrderBy(group => group.Key, StringComparer.Ordinal)
                    .Select(group => (group.Key, new ProfileMigration(run, (group.Key, group.Value)))),
            ];
        if (request.Takes(MigrationParts.Annotations)) _annotations = new AnnotationMigration(run);

        await StepAsync(_schemas is null ? null : _schemas.RunAsync, cancellationToken).ConfigureAwait(false);
        await StepAsync(_tables is null ? null : _tables.RunAsync, cancellationToken).ConfigureAwait(false);
        await StepAsync(_events is null ? null : _events.RunAsync, cancellationToken).ConfigureAwait(false);
        await StepAsync(_profiles is null ? null : _profiles.RunAsync, cancellationToken).ConfigureAwait(false);
        foreach (var (_, groups) in _groups) await StepAsync(groups.RunAsync, cancellationToken).ConfigureAwait(false);
        await StepAsync(_annotations is null ? null : _annotations.RunAsync, cancellationToken).ConfigureAwait(false);
        if (request.Verify && _problems.Outcome is RunOutcome.Complete)
            await StepAsync(token => VerifyAsync(run, token), cancellationToken).ConfigureAwait(false);
        WriteDeadLetters(run, cancellationToken);
    }

    /// <summary>Runs a step, unless nothing is worth trying any more.</summary>
    async Task StepAsync(Func<CancellationToken, Task>? step, CancellationToken cancellationToken)
    {
        if (step is null || _problems.AreFinal) return;
        try
        {
            await step(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (_problems.Note(e, cancellationToken))
        {
            // The report contains it.
        }
    }

    async Task VerifyAsync(MigrationRun run, CancellationToken cancellationToken)
    {
        var wrong = new List<string?>();
        if (_events is not null) wrong.Add(await new EventVerification(run, _events.Days).RunAsync(cancellationToken).ConfigureAwait(false));
        if (_profiles is not null) wrong.Add(await _profiles.VerifyAsync(cancellationToken).ConfigureAwait(false));
        foreach (var (_, groups) in _groups) wrong.Add(await groups.VerifyAsync(cancellationToken).ConfigureAwait(false));
        foreach (var problem in wrong.OfType<string>()) _problems.Note(RunOutcome.Inconsistent, problem);
        if (_problems.Outcome is RunOutcome.Complete or RunOutcome.Inconsistent) _isVerified = _problems.Outcome is RunOutcome.Complete;
    }

    /// <summary>Writes all dead letters to one file.</summary>
    void WriteDeadLetters(MigrationRun run, CancellationToken cancellationToken)
    {
        var rejected = Parts().Sum(part => part.Rejected);
        var path = request.DeadLetterPath ?? (request.DryRun ? null : run.Folder.DeadLetters);
        try
        {
            if (path is not null && (rejected > 0 || request.DeadLetterPath is not null))
            {
                DeadLetterFile.Write(path, run.Folder.Rejected(run.Names), cancellationToken);
                _deadLetters = rejected > 0 ? path : null;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _problems.Note(RunOutcome.DiskFailed, $"The dead-letter file {path} cannot be written: {e.Message}");
        }

        if (rejected > 0)
            _problems.Note(RunOutcome.Rejected,
                $"{Counted.Of(rejected, "record was", "records were")} not "
                + $"accepted.{(_deadLetters is null ? "" : $" {_deadLetters} contains each, as it was sent, with its reason.")}");
    }

    IEnumerable<MigrationCounts> Parts() =>
        new[]
        {
            _schemas?.Counts,
            _tables?.Counts,
            _events?.Counts,
            _profiles?.Counts,
            _annotations?.Counts,
        }.Concat(_groups.Select(group => group.Groups.Counts)).OfType<MigrationCounts>();

    MigrationReport Report(double seconds) => new()
    {
        From = request.From ?? MigrationFolder.NameOf(source.Options),
        To = request.To ?? MigrationFolder.NameOf(target.Options),
        Events = _events?.Counts,
        Profiles = _profiles?.Counts,
        Groups = request.Takes(MigrationParts.Groups) ? _groups.ToDictionary(group => group.Key, group => group.Groups.Counts, StringComparer.Ordinal) : null,
        Schemas = _schemas?.Counts,
        Annotations = _annotations?.Counts,
        LookupTables = _tables?.Counts,
        NotMigrated = WithoutApi,
        Verified = _isVerified,
        DeadLetter = _deadLetters,
        ElapsedSeconds = seconds,
        Outcome = _problems.Outcome,
        Problems = _problems.Messages,
        RetryAfter = _problems.RetryAfter,
    };
}
