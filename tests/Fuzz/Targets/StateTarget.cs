using System.Text;
using MixpanelConnector.Sqlite;
using MixpanelConnector.Testing;

namespace MixpanelConnector.Fuzz;

/// <summary>Loading a state whose database was altered: it returns exactly what was saved, or refuses with exit code 7, but never resumes elsewhere.</summary>
sealed class StateTarget : Target
{
    static readonly string[] Letters = [.. Enumerable.Range(0, 40).Select(i => $$"""{"source":"a","line":{{i}},"raw":"{{new string('x', i * 7)}}"}""")];

    readonly TemporaryFolder _folder = new();
    readonly ImportCheckpoint _saved = new()
    {
        OptionsFingerprint = "type=events",
        Totals = new ImportTotals { Accepted = 20, Rejected = Letters.Length, Bytes = 4711, Elapsed = TimeSpan.FromSeconds(1.5) },
        Sources =
        [
            .. Enumerable.Range(0, 9).Select(i => new ImportSourceProgress { Id = $"s{i}", Offset = i * 1000, Line = i * 10, Fingerprint = $"{i:x32}" }),
        ],
        DeadLetters = [.. Letters.Select(letter => (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes(letter))],
    };

    readonly byte[] _database;
    readonly byte[] _marker;

    public StateTarget()
    {
        using (var state = SqliteImportState.Open(_folder.File("state")))
        {
            state.Save(_saved with { Totals = _saved.Totals with { Accepted = 10, Rejected = 0 }, DeadLetters = [] });
            state.Save(_saved);
        }

        _database = File.ReadAllBytes(Database);
        _marker = File.ReadAllBytes(Path.Combine(_folder.File("state"), StateFolder.MarkerName));
    }

    string Database => Path.Combine(_folder.File("state"), StateFolder.DatabaseName);

    public override IReadOnlyList<byte[]> Seeds => [_database];

    public override IReadOnlyList<byte[]> Dictionary { get; } =
    [
        .. ((string[])
        [
            "SQLite format 3\0",
            "CREATE TABLE",
            "\"offset\":0",
            "9",
            "0",
            "type=events",
            "\0\0\0\0",
            "finished\":true",
        ]).Select(Encoding.UTF8.GetBytes),
    ];

    public override void Run(byte[] input)
    {
        Directory.Delete(_folder.File("state"), recursive: true);
        Directory.CreateDirectory(_folder.File("state"));
        File.WriteAllBytes(Path.Combine(_folder.File("state"), StateFolder.MarkerName), _marker);
        File.WriteAllBytes(Database, input);
        try
        {
            using var state = SqliteImportState.Open(_folder.File("state"));
            var loaded = state.Load();
            if (loaded is null) throw new DifferenceException("a state that was saved was taken for a new one");
            Same(_saved.Totals, loaded.Totals, "the totals");
            Same(_saved.OptionsFingerprint, loaded.OptionsFingerprint, "the shape");
            Hold(!loaded.Finished, "finished");
            Hold(_saved.Sources.SequenceEqual(loaded.Sources), "the places to resume at");
            Hold(state.DeadLetters().Select(line => Encoding.UTF8.GetString(line.Span)).SequenceEqual(Letters, StringComparer.Ordinal), "the dead letters");
        }
        catch (ImportStateException e)
        {
            Same(RunOutcome.DiskFailed, e.Outcome, "the outcome");
        }
    }

    public override void Dispose()
    {
        _folder.Dispose();
        base.Dispose();
    }
}
