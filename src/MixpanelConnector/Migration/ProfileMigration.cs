using System.Globalization;
using System.IO.Hashing;
using System.Text;
using System.Text.Json;
using MixpanelConnector.Exported;
using MixpanelConnector.Import.Decode;
using MixpanelConnector.Import.Readers;
using MixpanelConnector.Import.Source;

namespace MixpanelConnector.Migration;

/// <summary>
/// Migrates user profiles, or group profiles of one group key. All pages are downloaded first, because their session might expire while they are sent.
/// </summary>
/// <param name="run">The migration.</param>
/// <param name="group">The group key, and Mixpanel's id of it; null for users.</param>
sealed class ProfileMigration(MigrationRun run, (string Key, string Id)? group)
{
    static readonly ImportRequest AsNdjson = new() { Format = ImportFormat.Ndjson.Name };

    /// <summary>The name in the state folder, and in messages.</summary>
    public string Name { get; } = group is { } of ? $"groups-{Uri.EscapeDataString(of.Key)}={Uri.EscapeDataString(of.Id)}" : "profiles";

    public MigrationCounts Counts { get; private set; } = MigrationCounts.None;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        run.Names.Add(Name);
        run.Meter.Begin(group?.Key ?? "profiles");
        if (run.Folder.SettledOf(Name) is { } settled)
        {
            run.Folder.Forget(Name);
            Take(settled.Counts);
            return;
        }

        var folder = run.Folder.WorkOf(Name);
        var download = await run.ExportAsync(run.Source, Export(folder), cancellationToken).ConfigureAwait(false);
        var isThere = run.Problems.Note(download);
        if (!isThere)
        {
            Counts = MigrationCounts.None with { Read = download.Records, Pending = download.Records };
            return;
        }

        if (group is { } none && download.Records == 0)
            run.Request.Diagnostics?.Report(new ImportDiagnostic(Name, Line: null, "warning",
                $"The source has no groups of {none.Key} under the id {none.Id}. If there should be some, check both in the project settings."));
        await run.WithoutDamageAsync(Name, () => SendAsync(folder, download.Records, cancellationToken)).ConfigureAwait(false);
    }

    async Task SendAsync(string folder, long given, CancellationToken cancellationToken)
    {
        var inputs = InputsOf(folder, MigrationRun.ManifestOf(folder));
        var report = await run.ImportAsync(Name, inputs, group is null ? ImportType.Profiles : ImportType.Groups,
            new ProfilePreparation(ofGroups: group is not null), group?.Key, cancellationToken).ConfigureAwait(false);
        var isSettled = run.Problems.Note(report);
        var counts = run.CountsOf(Name, report, given, isSettled);
        if (isSettled && !run.Problems.AreFinal)
            run.Folder.Settle(Name,
                new(counts)
                {
                    Ids = run.Request.DryRun
                        ? null
                        : await IdsAsync(inputs, input => run.RejectedLines(Name, input.Name).ToHashSet(), cancellationToken).ConfigureAwait(false),
                });
        Take(counts);
    }

    /// <summary>Returns how the profiles in the target differ from those that it accepted; null when they do not.</summary>
    public async Task<string?> VerifyAsync(CancellationToken cancellationToken)
    {
        if (run.Folder.SettledOf(Name)?.Ids is not { } sent) return null;
        string? id = null;
        if (group is { } kind && !run.Request.TargetGroups.TryGetValue(kind.Key, out id))
        {
            run.Request.Notices?.Report(
                $"The groups of {kind.Key} are not verified: name their data group id in the target with {run.Words[Setting.OfMigration(nameof(MigrationRequest.TargetGroups)).With($"{kind.Key}=DATA_GROUP_ID")]}.");
            return null;
        }

        var work = $"verify-{Name}";
        var folder = run.Folder.WorkOf(work);
        var download = await run.ExportAsync(run.Target, Export(folder) with { DataGroupId = id }, cancellationToken).ConfigureAwait(false);
        if (!run.Problems.Note(download)) return null;
        var held = await IdsAsync(InputsOf(folder, MigrationRun.ManifestOf(folder)), _ => [], cancellationToken).ConfigureAwait(false);
        run.Folder.Forget(work);
        if (held == sent) return null;
        return string.Create(CultureInfo.InvariantCulture,
            $"Of the {(group is { } named ? $"groups of {named.Key}" : "profiles")}, {sent.Count} were accepted, "
            + $"and the target has {held.Count}{(held.Count == sent.Count ? ", with other ids" : "")}.");
    }

    void Take(MigrationCounts counts)
    {
        Counts = counts;
        run.Meter.Add(counts);
    }

    ExportRequest Export(string folder) => new()
    {
        Notices = run.Noticed(group is { } named ? $"groups of {named.Key}" : "profiles"),
        Kind = group is null ? ExportKind.Profiles : ExportKind.Groups,
        Folder = folder,
        GroupKey = group?.Key,
        DataGroupId = group?.Id,
        State = folder,
    };

    List<InputFile> InputsOf(string folder, ExportManifest manifest) =>
        [
            .. manifest.Files.Where(entry => entry.Name is not null)
                .Select(entry => run.InputOf(folder, entry, $"{group?.Key ?? "profiles"}/{entry.Name!.Split('.')[0]}")),
        ];

    static async Task<IdSum> IdsAsync(List<InputFile> inputs, Func<InputFile, HashSet<long>> without, CancellationToken cancellationToken)
    {
        var sum = new IdSum();
        foreach (var input in inputs)
        {
            var left = without(input);
            using var reader = await RecordReaders.OpenAsync(input, reached: null, AsNdjson, cancellationToken).ConfigureAwait(false);
            do sum = Add(reader, left, sum);
            while (await reader.FillAsync(cancellationToken).ConfigureAwait(false));
            sum = Add(reader, left, sum); // the reader may have to see the end before it returns the last record
        }

        return sum;
    }

    static IdSum Add(RecordReader reader, HashSet<long> without, IdSum sum)
    {
        while (reader.TryRead(out var record))
            if (!without.Contains(record.Line) && IdOf(record.Bytes) is { } id) sum = sum.And(id);
        return sum;
    }

    static string? IdOf(ReadOnlySpan<byte> profile)
    {
        var reader = new Utf8JsonReader(profile);
        reader.Read();
        while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
        {
            var isId = reader.ValueTextEquals("$distinct_id"u8);
            reader.Read();
            if (isId) return reader.TokenType is JsonTokenType.String ? reader.GetString() : Encoding.UTF8.GetString(reader.ValueSpan);
            reader.Skip();
        }

        return null;
    }
}

/// <summary>Ids, as a count and an order-independent hash.</summary>
sealed record IdSum
{
    public long Count { get; init; }

    public UInt128 Sum { get; init; }

    public IdSum And(string id) => new() { Count = Count + 1, Sum = Sum + XxHash128.HashToUInt128(Encoding.UTF8.GetBytes(id)) };
}
