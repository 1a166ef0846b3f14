using System.Text;
using Microsoft.Data.Sqlite;
using MixpanelConnector.Testing;

namespace MixpanelConnector.Sqlite.Tests;

public sealed class SqliteOutboxTests : IDisposable
{
    readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void What_was_appended_is_read_again_in_order_after_a_restart()
    {
        using (var outbox = Open())
        {
            Assert.Equal([1L, 2L], outbox.Append([Batch("a"), Batch("b", TrackedKind.Profile, 3)]));
            Assert.Equal([3L], outbox.Append([Batch("c")]));
        }

        using var again = Open();
        Assert.Equal(["a", "c"], Texts(again.Read(TrackedKind.Event, 0, 100)));
        Assert.Equal(["b"], Texts(again.Read(TrackedKind.Profile, 0, 100)));
        Assert.Equal(["c"], Texts(again.Read(TrackedKind.Event, 1, 100)));
        Assert.Equal(["a"], Texts(again.Read(TrackedKind.Event, 0, 1)));
        Assert.Equal((3L, ImpatientClock.Noon), (again.Count(TrackedKind.Profile).Records, again.Count(TrackedKind.Profile).Oldest));
        Assert.Equal(3, again.LastNumber);
    }

    [Fact]
    public void What_was_removed_is_gone()
    {
        using (var outbox = Open())
        {
            outbox.Append([Batch("a"), Batch("b")]);
            outbox.Remove([1]);
            Assert.Equal(1, outbox.Count(TrackedKind.Event).Records);
        }

        using var again = Open();
        Assert.Equal(["b"], Texts(again.Read(TrackedKind.Event, 0, 100)));
        Assert.Equal([3L], again.Append([Batch("c")]));
    }

    [Fact]
    public void Several_share_a_folder_and_the_next_takes_over_what_one_left()
    {
        using var first = Open();
        first.Append([Batch("first")]);
        using (var second = Open())
        {
            second.Append([Batch("second"), Batch("profile", TrackedKind.Profile)]);
            Assert.Equal(["second"], Texts(second.Read(TrackedKind.Event, 0, 100)));
        }

        using (var third = Open()) Assert.Equal(["second"], Texts(third.Read(TrackedKind.Event, 0, 100)));
        first.Dispose();

        using var last = Open();
        Assert.Equal(["first", "second"], Texts(last.Read(TrackedKind.Event, 0, 100)).Order(StringComparer.Ordinal), StringComparer.Ordinal);
        Assert.Equal(["profile"], Texts(last.Read(TrackedKind.Profile, 0, 100)));
        Assert.False(File.Exists(_folder.File("outbox-2.db")));
    }

    [Fact]
    public void A_full_outbox_refuses_and_takes_again_when_something_was_removed()
    {
        using var outbox = SqliteOutbox.Open(_folder.Path, 2 << 20);
        var numbers = new List<long>();
        OutboxException? full = null;
        while (full is null)
        {
            try
            {
                numbers.AddRange(outbox.Append([Batch(new string('x', 50_000))]));
            }
            catch (OutboxException e)
            {
                full = e;
            }
        }

        Assert.True(full.MayPass);
        Assert.Contains(_folder.Path, full.Message, StringComparison.Ordinal);
        Assert.InRange(numbers.Count, 20, 42);
        outbox.Remove(numbers);
        outbox.Append([Batch("again")]);
        Assert.Equal(["again"], Texts(outbox.Read(TrackedKind.Event, 0, 100)));
    }

    [Theory]
    [InlineData(2 << 20, 2_000)]
    [InlineData(2 << 20, 20_000)]
    [InlineData(4 << 20, 300_000)]
    [InlineData(10_000_000, 50_000)]
    public void The_limit_holds_for_all_files_together(int most, int size)
    {
        using var outbox = SqliteOutbox.Open(_folder.Path, most);
        var batch = Batch(new string('x', size));
        for (var round = 0; round < 2; round++)
        {
            var numbers = Fill();
            // Most of the limit is usable: the log has a quarter of it at most.
            Assert.InRange((double)numbers.Count * size, most * 0.4, most);
            for (var i = 0; i < numbers.Count; i += 7)
            {
                outbox.Remove(numbers[i..Math.Min(numbers.Count, i + 7)]);
                EnsureWithin();
            }
        }

        // Records larger than those that filled the file find room as well.
        for (var i = 0; i < 3; i++) Assert.Single(outbox.Append([Batch(new string('y', most / 5))]));
        EnsureWithin();

        List<long> Fill()
        {
            List<long> numbers = [];
            while (true)
            {
                try
                {
                    numbers.AddRange(outbox.Append([batch]));
                }
                catch (OutboxException e)
                {
                    Assert.True(e.MayPass);
                    return numbers;
                }
                finally
                {
                    EnsureWithin();
                }
            }
        }

        void EnsureWithin() => Assert.InRange(new DirectoryInfo(_folder.Path).EnumerateFiles().Sum(file => file.Length), 0, most);
    }

    [Fact]
    public void A_part_that_is_larger_than_a_lower_limit_takes_records_again_once_some_are_sent()
    {
        List<long> numbers = [];
        using (var outbox = SqliteOutbox.Open(_folder.Path, 8 << 20))
            for (var i = 0; i < 60; i++) numbers.AddRange(outbox.Append([Batch(new string('x', 100_000))]));

        using var smaller = SqliteOutbox.Open(_folder.Path, 2 << 20);
        smaller.Remove(numbers);

        Assert.Single(smaller.Append([Batch(new string('y', 300_000))]));
    }

    [Fact]
    public void A_row_that_does_not_fit_its_checksum_is_set_aside_and_the_others_are_given()
    {
        using (var outbox = Open()) outbox.Append([Batch("a"), Batch("b", records: 7), Batch("c")]);
        Change("UPDATE batches SET content = CAST('x' AS BLOB) WHERE number = 2");

        using var again = Open();
        Assert.Equal(["a", "c"], Texts(again.Read(TrackedKind.Event, 0, 100)));
        Assert.Equal(7, again.Quarantined);
        Assert.Equal(2, again.Count(TrackedKind.Event).Records);
    }

    [Fact]
    public void Whatever_happens_to_the_file_it_starts_and_gives_nothing_but_what_was_appended()
    {
        using (var outbox = Open())
            for (var i = 0; i < 200; i++) outbox.Append([Batch($"{i:d4}" + new string('y', 500))]);
        var good = File.ReadAllBytes(_folder.File("outbox-1.db"));
        var random = new Random(12);
        var most = 0;
        for (var round = 0; round < 60; round++)
        {
            foreach (var file in Directory.EnumerateFiles(_folder.Path)) File.Delete(file);
            var bytes = good.ToArray();
            if (round % 3 == 0) bytes = bytes[..random.Next(bytes.Length)];
            else if (round % 3 == 1) random.NextBytes(bytes.AsSpan(random.Next(bytes.Length - 4096), random.Next(1, 4096)));
            else bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
            File.WriteAllBytes(_folder.File("outbox-1.db"), bytes);

            using var outbox = Open();
            var texts = Texts(outbox.Read(TrackedKind.Event, 0, 1000));
            Assert.All(texts, text => Assert.Matches("^0[01][0-9]{2}y{500}$", text));
            Assert.Equal(texts.Distinct(StringComparer.Ordinal), texts, StringComparer.Ordinal);
            Assert.True(texts.Count == 200 || outbox.Quarantined > 0 || bytes.Length == 0, $"round {round}: {texts.Count} without a word");
            outbox.Append([Batch("new")]);
            most = Math.Max(most, texts.Count);
        }

        Assert.Equal(200, most);
    }

    [Theory]
    [InlineData("outbox-1.db")]
    [InlineData("outbox-1.db-wal")]
    [InlineData("outbox-1.db-journal")]
    public void No_link_in_the_place_of_its_files_is_followed(string name)
    {
        if (OperatingSystem.IsWindows()) return;
        var victim = _folder.Write("victim", "precious");
        foreach (var target in (string[])[victim, _folder.File("elsewhere")])
        {
            var folder = _folder.File($"outbox-{Path.GetFileName(target)}");
            SqliteOutbox.Open(folder).Dispose();
            File.Delete(Path.Combine(folder, name));
            File.CreateSymbolicLink(Path.Combine(folder, name), target);
            Assert.Contains("is a link", Assert.Throws<OutboxException>(() => SqliteOutbox.Open(folder)).Message, StringComparison.Ordinal);
        }

        Assert.Equal("precious", File.ReadAllText(victim));
        Assert.False(File.Exists(_folder.File("elsewhere")));
    }

    [Fact]
    public void A_folder_that_cannot_be_made_is_named()
    {
        var file = _folder.Write("file", "");
        var refused = Assert.Throws<OutboxException>(() => SqliteOutbox.Open(Path.Combine(file, "outbox")));
        Assert.Contains(file, refused.Message, StringComparison.Ordinal);
    }

    SqliteOutbox Open() => SqliteOutbox.Open(_folder.Path);

    void Change(string sql)
    {
        using var connection = new SqliteConnection($"Data Source={_folder.File("outbox-1.db")};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        Assert.Equal(1, command.ExecuteNonQuery());
    }

    static OutboxBatch Batch(string text, TrackedKind kind = TrackedKind.Event, int records = 1) =>
        new(kind, records, ImpatientClock.Noon, Encoding.UTF8.GetBytes(text));

    static List<string> Texts(IReadOnlyList<OutboxBatch> batches) => [.. batches.Select(batch => Encoding.UTF8.GetString(batch.Content.Span))];

    [Fact]
    public void An_outbox_that_was_disposed_says_so()
    {
        using var folder = new TemporaryFolder();
        var outbox = SqliteOutbox.Open(folder.File("outbox"));
        outbox.Dispose();
        outbox.Dispose();

        foreach (var use in (Action[])
        [
            () => outbox.Count(TrackedKind.Event),
            () => outbox.Claim(_ => true),
            () => outbox.Read(TrackedKind.Event, 0, 1),
            () => outbox.Remove([1]),
            () => _ = outbox.LastNumber,
        ])
            Assert.Equal(typeof(SqliteOutbox).FullName, Assert.Throws<ObjectDisposedException>(use).ObjectName);
        using var again = SqliteOutbox.Open(folder.File("outbox"));
    }
}
