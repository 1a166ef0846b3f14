using System.Text.Json;
using MixpanelConnector.Emulator;

namespace MixpanelConnector.EndToEnd;

/// <summary>The library in limited environments: without reflection, and on .NET 8.</summary>
[Trait("tool", "native")]
public sealed class NativeAotTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_library_works_compiled_ahead_of_time_and_on_net8(bool onNet8)
    {
        using var home = new Home();
        await using var mixpanel = await EmulatedMixpanel.StartAsync();
        using var program = Run.Start(Program(onNet8), [mixpanel.Address.AbsoluteUri], home);
        var done = await Run.EndAsync(program);

        Assert.True(done.ExitCode == 0, done.ToString());
        Assert.Contains("""import_events {"status":"OK","num_records_imported":1}""", done.Output, StringComparison.Ordinal);
        Assert.Contains("""track_event {"status":1}""", done.Output, StringComparison.Ordinal);
        Assert.Contains("""create_service_account {"service_account_created":"true","id":""", done.Output, StringComparison.Ordinal);
        Assert.Contains("""get_all_service_accounts {"total":2""", done.Output, StringComparison.Ordinal);
        Assert.Contains("""query_user_profiles {"results":[]""", done.Output, StringComparison.Ordinal);
        Assert.Contains("""legend_size":1}""", done.Output, StringComparison.Ordinal);
        Assert.Contains("""get_top_events {"events":[{"event":""", done.Output, StringComparison.Ordinal);
        Assert.Contains("""get_event_names {"names":["A","B"],"total":2}""", done.Output, StringComparison.Ordinal);
        Assert.Contains("""query_event_property_counts {"series":["2026-01-01"],"values":{},"legend_size":0}""", done.Output, StringComparison.Ordinal);
        Assert.Contains("""get_event_properties {"properties":[{"name":""", done.Output, StringComparison.Ordinal);
        Assert.Contains("""get_event_property_values {"values":["pro"],"total":1}""", done.Output, StringComparison.Ordinal);
        foreach (var action in ActionCatalogue.Actions)
            Assert.Contains($"{action.Name} schema {action.InputSchema().ToJsonString()}", done.Output, StringComparison.Ordinal);
        Assert.Equal(2, (await mixpanel.EventsAsync()).Count);
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task A_hosted_program_compiled_ahead_of_time_or_on_net8_tracks_and_loses_nothing_on_sigterm(bool onNet8, bool durable)
    {
        using var home = new Home();
        await using var mixpanel = await EmulatedMixpanel.StartAsync();
        var environment = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["Mixpanel__Token"] = "local",
            ["Mixpanel__Endpoint"] = mixpanel.Address.AbsoluteUri,
            ["Mixpanel__FlushInterval"] = "00:10:00",
        };
        if (durable) environment["Outbox"] = home.File("outbox");
        using var program = Run.Start(Program(onNet8), [], home, environment);
        for (var i = 0; i < 50; i++) await program.StandardInput.WriteLineAsync($$"""{"total":{{i}},"currency":"EUR"}""");
        program.StandardInput.Close();
        string? line;
        do line = await program.StandardOutput.ReadLineAsync();
        while (line is not (null or "tracked"));

        await WebProgram.TerminateAsync(program);

        var events = await mixpanel.EventsAsync();
        Assert.Equal((50, 50), (events.Count(one => one.Name == "Order placed"), events.Count(one => one.Name == "Order checked")));
        Assert.Contains(events,
            one => one.Name == "Order checked" && JsonElement.Parse(one.Properties) is var properties
                && properties.GetProperty("Order").GetRawText() == """{"Total":7,"Currency":"EUR"}"""
            && properties.GetProperty("Verdict").GetString() == "Fine" && properties.GetProperty("Marks").GetRawText() == "[1,null]"
                && properties.GetProperty("Since").GetString() == "1970-01-01T00:00:00" && !properties.TryGetProperty("Doubt", out _));
        var marks = events.Where(one => one.Name == "Marked").Select(one => JsonElement.Parse(one.Properties)).ToList();
        Assert.Equal(100, marks.Count);
        Assert.All(marks,
            properties => Assert.Equal(("all right", "Wrong"), (properties.GetProperty("Mark").GetString(), properties.GetProperty("Before").GetString())));
        Assert.Contains("EUR", Assert.Single(await mixpanel.ProfilesAsync()).Properties, StringComparison.Ordinal);
    }

    static string Program(bool onNet8) => onNet8 ? Published.OnNet8 : Published.Library;
}
