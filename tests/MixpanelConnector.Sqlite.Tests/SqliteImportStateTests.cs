using MixpanelConnector.Testing;

namespace MixpanelConnector.Sqlite.Tests;

public sealed class SqliteImportStateTests : IDisposable
{
    readonly TemporaryFolder _folder = new();

    string State => _folder.File("state");

    public void Dispose() => _folder.Dispose();

    static ImportSourceProgress Source(string id, long offset) => new() { Id = id, Offset = offset, Line = offset / 10, Fingerprint = $"{offset:x32}" };

    static ImportCheckpoint Checkpoint(long accepted, long rejectedBefore = 0, params string[] deadLetters) => new()
    {
        OptionsFingerprint = "type=events",
        Totals = new ImportTotals { Accepted = accepted, Rejected = rejectedBefore + deadLetters.Length, Elapsed = TimeSpan.FromSeconds(1.5) },
        Sources = [Source("a", accepted * 10), Source("b", accepted * 20)],
        DeadLetters = [.. deadLetters.Select(letter => (ReadOnlyMemory<byte>)System.Text.Encoding.UTF8.GetBytes(letter))],
    };

    static List<string> Lines(SqliteImportState state) => [.. state.DeadLetters().Select(line => System.Text.Encoding.UTF8.GetString(line.Span))];

    static void Fill(string folder)
    {
        using var state = SqliteImportState.Open(folder);
        state.Save(Checkpoint(10, 0, "{\"n\":1}", "{\"n\":2}"));
        state.Save(Checkpoint(20, 2, "{\"n\":3}"));
    }

    [Fact]
    public void A_new_state_is_empty()
    {
        using var state = SqliteImportState.Open(State);
        Assert.Null(state.Load());
        Assert.Empty(state.DeadLetters());
    }

    [Fact]
    public void What_was_saved_is_there_again()
    {
        Fill(State);
        using var state = SqliteImportState.Open(State);
        var loaded = state.Load()!;
        Assert.Equal(Checkpoint(20, 2, "x").Totals, loaded.Totals);
        Assert.Equal(Checkpoint(20).Sources, loaded.Sources);
        Assert.Equal(["{\"n\":1}", "{\"n\":2}", "{\"n\":3}"], Lines(state));
    }

    [Fact]
    public void Clearing_forgets_everything()
    {
        Fill(State);
        using (var state = SqliteImportState.Open(State)) state.Clear();
        using var again = SqliteImportState.Open(State);
        Assert.Null(again.Load());
        Assert.Empty(again.DeadLetters());
    }

    [Fact]
    public void A_second_import_is_turned_away_and_told_by_whom()
    {
        using var state = SqliteImportState.Open(State);
        var refusal = Assert.Throws<ImportStateException>(() => SqliteImportState.Open(State));
        Assert.Equal((ImportStateFault.Busy, RunOutcome.Busy), (refusal.Fault, refusal.Outcome));
        Assert.Contains($"process {Environment.ProcessId}", refusal.Message, StringComparison.Ordinal);
        state.Save(Checkpoint(1));
    }

    [Fact]
    public void The_lock_ends_with_the_import()
    {
        SqliteImportState.Open(State).Dispose();
        SqliteImportState.Open(State).Dispose();
    }

    [Fact]
    public void The_state_is_its_owners_alone()
    {
        if (OperatingSystem.IsWindows()) return;
        Fill(State);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(State));
        foreach (var file in Directory.EnumerateFiles(State))
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_vanished_or_emptied_database_is_not_taken_for_a_new_one(bool emptied)
    {
        Fill(State);
        var database = Path.Combine(State, StateFolder.DatabaseName);
        if (emptied) File.WriteAllBytes(database, []);
        else File.Delete(database);
        var refusal = Assert.Throws<ImportStateException>(() => SqliteImportState.Open(State));
        Assert.Equal((ImportStateFault.Damaged, RunOutcome.DiskFailed), (refusal.Fault, refusal.Outcome));
    }

    [Fact]
    public void A_restart_begins_anew_even_on_a_damaged_state()
    {
        Fill(State);
        File.WriteAllText(Path.Combine(State, StateFolder.DatabaseName), "this is no database, and long enough to look like something else");
        Assert.Throws<ImportStateException>(() => SqliteImportState.Open(State));
        using var state = SqliteImportState.Open(State, restart: true);
        Assert.Null(state.Load());
    }

    [Fact]
    public void Damage_anywhere_is_noticed_or_harmless()
    {
        Fill(State);
        var database = Path.Combine(State, StateFolder.DatabaseName);
        var whole = File.ReadAllBytes(database);
        using (var state = SqliteImportState.Open(State)) Assert.Equal(3, Lines(state).Count);
        var noticed = 0;
        for (var position = 0; position < whole.Length; position += position < 200 ? 1 : 37)
        {
            var damaged = whole.ToArray();
            damaged[position] ^= 0x40;
            if (Reads(database, damaged)) noticed++;
        }

        for (var length = 1; length < whole.Length; length += 501) Reads(database, whole[..length]);
        Assert.True(noticed > 20, $"only {noticed} noticed");
    }

    bool Reads(string database, byte[] content)
    {
        File.WriteAllBytes(database, content);
        try
        {
            using var state = SqliteImportState.Open(State);
            Assert.Equal(Checkpoint(20, 2, "x").Totals, state.Load()!.Totals);
            Assert.Equal(["{\"n\":1}", "{\"n\":2}", "{\"n\":3}"], Lines(state));
            return false;
        }
        catch (ImportStateException e)
        {
            Assert.Equal(RunOutcome.DiskFailed, e.Outcome);
            return true;
        }
    }

    [Fact]
    public void States_are_listed_with_their_progress()
    {
        Fill(_folder.File("states/one"));
        using var busy = SqliteImportState.Open(_folder.File("states/two"));
        Directory.CreateDirectory(_folder.File("states/other"));
        var states = SqliteImportState.List(_folder.File("states"));
        Assert.Equal(2, states.Count);
        Assert.Equal((20, 3, null), (states[0].Totals.Accepted, states[0].Totals.Rejected, states[0].Fault));
        Assert.Equal(ImportStateFault.Busy, states[1].Fault);
        Assert.Empty(SqliteImportState.List(_folder.File("nowhere")));
    }

    [Fact]
    public void The_dead_letter_file_is_written_from_the_state()
    {
        Fill(State);
        using var state = SqliteImportState.Open(State);
        ImportDeadLetters.Write(state, state.DeadLetterPath);
        Assert.Equal(Lines(state), File.ReadLines(state.DeadLetterPath).ToList());
    }

    [Fact]
    public void A_state_that_was_disposed_says_so()
    {
        using var folder = new TemporaryFolder();
        var state = SqliteImportState.Open(folder.File("state"));
        state.Dispose();
        state.Dispose();

        foreach (var use in (Action[])[() => state.Load(), () => Assert.Empty(state.DeadLetters()), state.Clear])
            Assert.Equal(typeof(SqliteImportState).FullName, Assert.Throws<ObjectDisposedException>(use).ObjectName);
        using var again = SqliteImportState.Open(folder.File("state"));
    }
}
