using System.Globalization;
using Microsoft.Extensions.Logging;
using MixpanelConnector.Testing;

namespace MixpanelConnector.Tests.Transport;

/// <summary>What is wrong with a ledger never allows a call beyond the limit, and is told.</summary>
public class CallLedgerTests
{
    const string NoProfiles = """{"results":[],"page":0,"status":"ok"}""";

    static byte[] Damaged(byte[] bytes, string what) => what switch
    {
        "a digit" => [.. bytes[..12], (byte)'x', .. bytes[13..]],
        "a line feed" => [.. bytes[..28], (byte)' ', .. bytes[29..]],
        "a byte too many" => [.. bytes[..40], (byte)'0', .. bytes[40..]],
        "a byte missing" => [.. bytes[..40], .. bytes[41..]],
        "zeros" => [.. bytes[..29], .. new byte[29]],
        "only zeros" => new byte[bytes.Length],
        "another file" => "This is a text of somebody else.\nIt has two lines.\n"u8.ToArray(),
        _ => [.. bytes, (byte)'\n'],
    };

    /// <summary>Damage to a list of two calls.</summary>
    /// <param name="what">The damage.</param>
    /// <param name="unreadable">The number of entries that cannot be read any more.</param>
    [Theory]
    [InlineData("a digit", 1)]
    [InlineData("a line feed", 2)]
    [InlineData("a byte too many", 1)]
    [InlineData("a byte missing", 1)]
    [InlineData("zeros", 1)]
    [InlineData("only zeros", 2)]
    [InlineData("another file", 2)]
    [InlineData("an empty line", 1)]
    public async Task What_cannot_be_read_counts_as_a_call_and_is_told_once(string what, int unreadable)
    {
        using var folder = new TemporaryFolder();
        using var log = new RecordedLog();
        await using var server = await RecordingServer.StartAsync(_ => Answer.Json(NoProfiles));
        using var client = new MixpanelClient(Given.Account().At(server) with { Ledger = new(folder.Path) { CallsPerHour = 2 }, LoggerFactory = log });
        await client.QueryUserProfilesAsync(new());
        client.Clock().Advance(TimeSpan.FromMinutes(1));
        await client.QueryUserProfilesAsync(new());
        var list = Assert.Single(Directory.GetFiles(folder.Path));
        await File.WriteAllBytesAsync(list, Damaged(await File.ReadAllBytesAsync(list, TestContext.Current.CancellationToken), what),
            TestContext.Current.CancellationToken);
        client.Clock().Advance(TimeSpan.FromMinutes(30));

        for (var tries = 0; tries < 2; tries++) Assert.Equal(ErrorKind.RateLimited, (await Given.FailsAsync(client.QueryUserProfilesAsync(new()))).Error.Kind);
        Assert.Equal(2, server.Requests.Count);
        Assert.Equal(
            $"Warning: The call ledger {list} was damaged. What cannot be read counts as calls made now: {unreadable}. "
            + $"If there were none within the last hour, delete the file",
            Assert.Single(log.From(LogLevel.Warning)));

        client.Clock().Advance(TimeSpan.FromMinutes(59)); // what was found counts from then on
        Assert.Equal(unreadable == 2 ? ErrorKind.RateLimited : null, await TryAsync());
        client.Clock().Advance(TimeSpan.FromMinutes(1));
        Assert.Null(await TryAsync());
        Assert.Single(log.From(LogLevel.Warning));

        async Task<ErrorKind?> TryAsync()
        {
            try
            {
                await client.QueryUserProfilesAsync(new());
                return null;
            }
            catch (MixpanelException e)
            {
                return e.Error.Kind;
            }
        }
    }

    [Fact]
    public async Task An_entry_that_was_cut_off_was_never_sent()
    {
        using var folder = new TemporaryFolder();
        using var log = new RecordedLog();
        await using var server = await RecordingServer.StartAsync(_ => Answer.Json(NoProfiles));
        using var client = new MixpanelClient(Given.Account().At(server) with { Ledger = new(folder.Path) { CallsPerHour = 2 }, LoggerFactory = log });
        await client.QueryUserProfilesAsync(new());
        await File.AppendAllTextAsync(Assert.Single(Directory.GetFiles(folder.Path)), "2026-11-23T", TestContext.Current.CancellationToken);

        await client.QueryUserProfilesAsync(new());

        Assert.Empty(log.From(LogLevel.Warning));
        Assert.Equal(2 * 29, new FileInfo(Assert.Single(Directory.GetFiles(folder.Path))).Length);
    }

    /// <summary>Entries made while the clock was wrong: a little, by a day, by decades.</summary>
    [Theory]
    [InlineData("2026-11-23T12:00:01.0000000Z", true)]
    [InlineData("2026-11-23T12:59:59.0000000Z", true)]
    [InlineData("2026-11-24T12:00:00.0000000Z", false)]
    [InlineData("2099-01-01T00:00:00.0000000Z", false)]
    [InlineData("9999-12-31T23:59:59.9999999Z", false)]
    public async Task An_entry_ahead_of_the_clock_holds_no_limit_for_longer_than_an_hour(string entry, bool counts)
    {
        using var folder = new TemporaryFolder();
        using var log = new RecordedLog();
        await using var server = await RecordingServer.StartAsync(_ => Answer.Json(NoProfiles));
        using var client =
            new MixpanelClient(Given.Account().At(server) with { Ledger = new(folder.Path) { CallsPerHour = 2, CallsPerSecond = 2 }, LoggerFactory = log });
        var began = client.Clock().GetUtcNow();
        await client.QueryUserProfilesAsync(new());
        var list = Assert.Single(Directory.GetFiles(folder.Path));
        await File.AppendAllTextAsync(list, entry + "\n", TestContext.Current.CancellationToken);
        Assert.True(DateTimeOffset.Parse(entry, CultureInfo.InvariantCulture) > began, "The entry must be ahead of the clock.");

        if (!counts) await client.QueryUserProfilesAsync(new());
        var refused = await Given.FailsAsync(client.QueryUserProfilesAsync(new()));
        Assert.Equal((ErrorKind.RateLimited, counts ? 1 : 2), (refused.Error.Kind, server.Requests.Count));
        Assert.InRange(refused.Error.RetryAfter!.Value, TimeSpan.FromMinutes(59), TimeSpan.FromHours(1));
        Assert.Empty(client.Clock().Waits);

        client.Clock().Advance(TimeSpan.FromMinutes(61));
        await client.QueryUserProfilesAsync(new());
        await client.QueryUserProfilesAsync(new());
        Assert.Equal(ErrorKind.RateLimited, (await Given.FailsAsync(client.QueryUserProfilesAsync(new()))).Error.Kind);
        Assert.Empty(log.From(LogLevel.Warning));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_message_has_no_path_and_the_exception_has_it(bool isLocked)
    {
        using var folder = new TemporaryFolder();
        await using var server = await RecordingServer.StartAsync(_ => Answer.Json(NoProfiles));
        var place = isLocked ? folder.Path : folder.Write("file", "");
        using var client = new MixpanelClient(Given.Account().At(server) with { Ledger = new(place) { LockTimeout = TimeSpan.Zero } });
        if (isLocked) await client.QueryUserProfilesAsync(new());
        using var held = isLocked ? MixpanelConnector.Files.FileLock.TryTake(Assert.Single(Directory.GetFiles(folder.Path))) : null;

        var failure = await Given.FailsAsync(client.QueryUserProfilesAsync(new()));

        Assert.Equal(ErrorKind.Unavailable, failure.Error.Kind);
        Assert.DoesNotContain(folder.Path, failure.Error.Message, StringComparison.Ordinal);
        Assert.Contains(place, failure.Error.LocalDetail, StringComparison.Ordinal);
        Assert.Equal($"{failure.Error.Message} {failure.Error.LocalDetail}", failure.Message);
    }
}
