using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using MixpanelConnector.Sqlite;

namespace MixpanelConnector.EndToEnd;

/// <summary>The C# in the prose and the tables of the guides: compiled here or in the Aspire tests, and run against a recording tracker.</summary>
public sealed partial class GuideFragments
{
    static readonly string[] Pages =
    [
        "docs/tracking.md", "docs/aspnetcore.md", "docs/aspire.md", "docs/blazor.md", "docs/worker.md", "docs/testing.md", "docs/typed-events.md",
        "docs/from-mixpanel-csharp.md", "docs/observability.md",
    ];

    [Fact]
    public void Every_piece_of_code_in_the_prose_of_a_guide_is_compiled_here()
    {
        var compiled = string.Join('\n',
            new DirectoryInfo(Repository.File("tests/Guides"))
                .EnumerateFiles("*.cs", SearchOption.AllDirectories)
                .Append(new FileInfo(Repository.File("tests/EndToEnd/GuideFragments.cs")))
                .Append(new FileInfo(Repository.File("tests/Hosting/AspireClientTests.cs")))
                .Select(file => File.ReadAllText(file.FullName)));
        var pieces = Pages.SelectMany(page => PiecesOf(File.ReadAllText(Repository.File(page))).Select(piece => (page, piece))).ToList();
        Assert.True(pieces.Count > 20, $"only {pieces.Count} pieces");

        // "…" stands for the reader's own code.
        var unknown = pieces.Where(found => !Regex.IsMatch(compiled, Regex.Escape(found.piece).Replace("…", ".*", StringComparison.Ordinal), RegexOptions.None,
            Hang.Limit));
        Assert.Equal([], unknown.Select(found => $"{found.page}: {found.piece}"), StringComparer.Ordinal);
    }

    [Fact]
    public async Task What_the_page_for_those_who_come_from_mixpanel_csharp_says_is_tracked()
    {
        var mixpanel = new RecordingTracker();
        await MoveAsync(mixpanel, "user-1", "Order placed", new { Total = 12.5m }, JsonValue.Create(1), 2, ["a"], ["b"], "other-1", 3m, "a@example.com");
        Assert.Equal(
            ["Order placed", "Order placed", "$create_alias", "$set", "$set_once", "$add", "$append", "$union", "$remove", "$unset", "$delete", "Charge",
                "$set"],
            mixpanel.Records.Select(record => record.Name), StringComparer.Ordinal);
    }

    [Fact]
    public async Task The_constructions_of_the_guides_hold()
    {
        var (token, options) = ("local", new MixpanelOptions { Token = "local", Endpoint = new Uri("http://127.0.0.1:9") });
        using var httpClient = new HttpClient { Timeout = Hang.Limit };
        await using var first = new MixpanelTracker(new MixpanelOptions { Token = token });
        await using var second = new MixpanelTracker(new MixpanelClient(options, httpClient));
        Assert.Equal("shop", (string?)new TrackerOptions { SuperProperties = { ["app"] = "shop" } }.SuperProperties["app"]);
        await Task.WhenAll(first.FlushAsync(), second.FlushAsync());

        var services = new ServiceCollection();
        services.AddLogging();
        services.AddMixpanel(settings => settings.Token = "local").HttpClient.AddHttpMessageHandler<Handler>();
        services.AddMixpanel("shop", settings => settings.Token = "local").UseSqliteOutbox("outbox");
        services.AddSingleton<IMixpanelTracker>(new RecordingTracker());
        services.AddHealthChecks().AddMixpanel();
        services.AddOpenTelemetry().WithMetrics(metrics => metrics.AddMeter("MixpanelConnector"));
        services.AddOpenTelemetry().WithTracing(tracing => tracing.AddSource("MixpanelConnector"));
        Assert.Contains(services, service => service.ServiceKey is "shop");

        var (userId, deviceId) = ("user-1", "device-1");
        Assert.Equal("$device:device-1", MixpanelUser.Anonymous(deviceId).DistinctId);
        Assert.Equal("user-1", MixpanelUser.Identified(userId, deviceId).DistinctId);
        await using var app = WebApplication.CreateSlimBuilder().Build();
        app.UseForwardedHeaders();
        Assert.NotNull((Func<MixpanelOptions, MixpanelTracker>)Durably);

        var (user, properties) = (MixpanelUser.FromDistinctId("user-1"), new Dictionary<string, object?>(StringComparer.Ordinal));
        using var scope = MixpanelScope.Begin(user, properties);
        Assert.Equal(user, MixpanelUser.Current);
    }

    static MixpanelTracker Durably(MixpanelOptions options)
    {
        return
            new MixpanelTracker(options, new TrackerOptions { Outbox = SqliteOutbox.Open("outbox") });
    }

    [Fact]
    public void What_is_tracked_and_what_is_not_is_as_the_guide_says()
    {
        var optOuts = new OptOuts { "eve" };
        MixpanelOptions connection = new() { Token = "local", Endpoint = new Uri("http://127.0.0.1:9") };
        using var mixpanel = Screened(connection, optOuts);
        Assert.True(mixpanel.Track("Health checked", "ada"));
        Assert.True(mixpanel.Track("Order placed", "eve"));
        Assert.Equal(0, mixpanel.Pending);

        var order = (PlacedAt: new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero), Total: 12.5m);
        var recording = Recorder(new() { BeforeSend = [record => record.Name != "Health checked"] });
        Place(recording);
        using (MixpanelScope.Begin("eve", optedOut: true)) Place(recording);
        Assert.Equal((1, 1), (recording.Events.Count, recording.LeftOut.Count));

        var services = new ServiceCollection();
        services.AddSingleton(optOuts);
        services.AddOptions<MixpanelSettings>().Configure<OptOuts>((settings, optOuts) => settings.IsOptedOut = user => optOuts.Contains(user.DistinctId));
        using var provider = services.BuildServiceProvider();
        Assert.True(provider.GetRequiredService<Microsoft.Extensions.Options.IOptions<MixpanelSettings>>().Value.IsOptedOut!("eve"));
        Assert.False(Refuses(new DefaultHttpContext()));

        void Place(IMixpanelTracker mixpanel) => mixpanel.At(order.PlacedAt).InGroup("company", "acme").Track("Order placed", "ada", new { order.Total });

        static bool Refuses(HttpContext http) => http.Features.Get<ITrackingConsentFeature>() is { CanTrack: false };

        static RecordingTracker Recorder(TrackerOptions options) => new RecordingTracker(options);

        MixpanelScope Begin(MixpanelUser user) => MixpanelScope.Begin(user, optedOut: true);
        using var scope = Begin("eve");
        Assert.True(scope.IsOptedOut);
    }

    static MixpanelTracker Screened(MixpanelOptions options, OptOuts optOuts)
    {
        return
            new MixpanelTracker(options, new TrackerOptions
            {
                BeforeSend = [record => { record.Properties["host"] = Environment.MachineName; return record.Name != "Health checked"; }],
                Redaction = new() { Names = ["password", "$email"], EmailAddresses = true, CardNumbers = true, Patterns = [@"\b\d{3}-\d{2}-\d{4}\b"] },
                SampleRates = new Dictionary<string, double>(StringComparer.Ordinal) { ["Page viewed"] = 0.1 },
                IsOptedOut = user => optOuts.Contains(user.DistinctId),
            });
    }

    sealed class OptOuts : HashSet<string>;

    static async Task MoveAsync(RecordingTracker mixpanel, string user, string name, object properties, JsonNode value, int amount, JsonNode[] values,
        string[] names, string alias, decimal charge, string email)
    {
        Assert.True(mixpanel.Track(name, user, properties));
        await mixpanel.TrackAsync(name, user, properties);
        await mixpanel.FlushAsync();
        mixpanel.CreateAlias(user, alias);
        mixpanel.Profile(user).Set(properties);
        mixpanel.Profile(user).SetOnce(properties);
        mixpanel.Profile(user).Add(name, amount);
        mixpanel.Profile(user).Append(name, value);
        mixpanel.Profile(user).Union(name, values);
        mixpanel.Profile(user).Remove(name, value);
        mixpanel.Profile(user).Unset(names);
        mixpanel.Profile(user).Delete();
        Charge(charge);
        mixpanel.Profile(user).Set("$email", email);

        void Charge(decimal amount) => mixpanel.Track("Charge", user, new { Amount = amount });
    }

    /// <summary>Code with brackets: a call, a construction, an attribute with an argument. Left columns of the migration page name another library.</summary>
    static IEnumerable<string> PiecesOf(string page)
    {
        var text = page.Contains("# Coming from", StringComparison.Ordinal) ? LeftColumn().Replace(page, "") : page;
        var prose = Blocks().Replace(text, "");
        return Spans()
            .Matches(prose)
            .Select(match => match.Groups["code"].Value)
            .Concat(Indented().Matches(prose).Select(match => match.Groups["code"].Value))
            .Where(code => code.Contains('(', StringComparison.Ordinal)
                && (code.Contains('.', StringComparison.Ordinal) || code.StartsWith("new ", StringComparison.Ordinal)));
    }

    sealed class Handler : DelegatingHandler;

    [GeneratedRegex("^```.*?^```$", RegexOptions.Multiline | RegexOptions.Singleline, matchTimeoutMilliseconds: Hang.Milliseconds)]
    private static partial Regex Blocks();

    [GeneratedRegex("`(?<code>[^`\n]+)`", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: Hang.Milliseconds)]
    private static partial Regex Spans();

    [GeneratedRegex("^    (?<code>\\S.*)$", RegexOptions.Multiline | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: Hang.Milliseconds)]
    private static partial Regex Indented();

    [GeneratedRegex("^\\|[^|]*", RegexOptions.Multiline, matchTimeoutMilliseconds: Hang.Milliseconds)]
    private static partial Regex LeftColumn();
}
