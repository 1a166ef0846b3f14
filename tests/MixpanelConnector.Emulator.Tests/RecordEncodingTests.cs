using System.Text;

namespace MixpanelConnector.Emulator.Tests;

/// <summary>How the bytes of records arrive: as JSON, in a form, as base64.</summary>
public sealed class RecordEncodingTests
{
    const string Event = """{"event":"E","properties":{"token":"local","distinct_id":"u","p":"?"}}""";
    const string User = """{"$token":"local","$distinct_id":"u","$set":{"p":"?"}}""";
    const string Group = """{"$token":"local","$group_key":"k","$group_id":"g","$set":{"p":"?"}}""";

    /// <summary>U+E9 in Latin-1, and half of a surrogate pair: neither is UTF-8.</summary>
    public static TheoryData<string, string, string> BrokenText =>
        new MatrixTheoryData<string, string, string>(["/track", "/engage", "/groups"], ["E9", "EDA0BC", "EDBFB3", "EDBFB3EDA0BC"],
            ["json", "raw", "escaped", "base64", "address"]);

    [Theory]
    [InlineData("/track", Event)]
    [InlineData("/engage", User)]
    [InlineData("/groups", Group)]
    public async Task Surrogates_that_were_encoded_one_by_one_are_the_character(string path, string record)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        // U+10000, U+1F3F3 with what surrounds it, U+10FFFF
        var bytes = WithText(record, "EDA080EDB080" + "61EDA0BCEDBFB3C3A9" + "EDAFBFEDBFBF");

        (await PostAsync(mixpanel, path, "data=" + Uri.EscapeDataString(Convert.ToBase64String(bytes)))).Is(200, "1");
        Assert.Equal("\U00010000a\U0001F3F3\u00e9\U0010FFFF", await StoredAsync(mixpanel, path));

        (await PostAsync(mixpanel, path, "data=" + Escaped(WithText(record, "EDA0BCEDBFB4")))).Is(200, "1");
        Assert.Equal("\U0001F3F4", await StoredAsync(mixpanel, path));
    }

    [Fact]
    public async Task The_old_form_of_an_import_may_have_them_too()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        var bytes = WithText(mixpanel.Event(more: "\"p\":\"?\""), "EDA0BCEDBFB3");

        (await mixpanel.ImportAsync(new StringContent("data=" + Convert.ToBase64String(bytes)), "?project_id=1")).Is(200, "1");

        Assert.Equal("\U0001F3F3", await StoredAsync(mixpanel, "/track"));
    }

    [Theory]
    [MemberData(nameof(BrokenText))]
    public async Task Text_that_is_not_UTF8_is_not_stored_however_it_is_sent(string path, string hex, string how)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        var bytes = WithText(path == "/track" ? Event : path == "/engage" ? User : Group, hex);

        var answer = how switch
        {
            "json" => await PostAsync(mixpanel, path, bytes),
            "raw" => await PostAsync(mixpanel, path, [.. "data="u8, .. bytes]),
            "escaped" => await PostAsync(mixpanel, path, "data=" + Escaped(bytes)),
            "base64" => await PostAsync(mixpanel, path, "data=" + Convert.ToBase64String(bytes)),
            _ => await mixpanel.GetAsync($"{path}?data={Escaped(bytes)}"),
        };

        answer.Is(200, path == "/track" ? "1" : "0");
        Assert.Equal("", await StoredAsync(mixpanel, path));
    }

    [Theory]
    [InlineData("\r\n")]
    [InlineData("\n")]
    [InlineData(" ")]
    [InlineData("\t")]
    public async Task Base64_may_be_wrapped(string end)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        for (var length = 0; length < 8; length++)
        {
            var base64 = LocalMixpanel.Base64(Event.Replace("?", new string('x', length), StringComparison.Ordinal));
            var wrapped = string.Concat(base64.Chunk(length + 5).Select(line => new string(line) + end));
            (await PostAsync(mixpanel, "/track", "data=" + Uri.EscapeDataString(wrapped))).Is(200, "1");
            (await mixpanel.GetAsync("/track?data=" + Uri.EscapeDataString(end + wrapped.TrimEnd().TrimEnd('=')))).Is(200, "1");
        }

        Assert.Equal(16, await mixpanel.Server.CountEventsAsync());
    }

    [Theory]
    [InlineData("d%61ta={0}")]
    [InlineData("verbose=0&DATA={0}&ip=0")]
    [InlineData("\r\ndata={0}\r\n")]
    public async Task The_field_is_found_however_it_is_written(string form)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        (await PostAsync(mixpanel, "/track",
            string.Format(System.Globalization.CultureInfo.InvariantCulture, form, Escaped(Encoding.UTF8.GetBytes(Event))))).Is(
            200, "1");
        (await PostAsync(mixpanel, "/track", string.Format(System.Globalization.CultureInfo.InvariantCulture, form, LocalMixpanel.Base64(Event)))).Is(200, "1");

        Assert.Equal(2, await mixpanel.Server.CountEventsAsync());
    }

    [Theory]
    [InlineData("data=%")]
    [InlineData("data=%7")]
    [InlineData("data=A")]
    [InlineData("data====")]
    [InlineData("data=%E9%E9")]
    [InlineData("data=W10&data=W10")]
    [InlineData("data")]
    public async Task What_is_neither_JSON_nor_base64_has_no_records(string form)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        foreach (var path in (string[])["/track", "/engage", "/groups"])
            (await PostAsync(mixpanel, path, form)).Is(200, "0");
    }

    static byte[] WithText(string record, string hex)
    {
        var at = record.IndexOf('?', StringComparison.Ordinal);
        return [.. Encoding.UTF8.GetBytes(record[..at]), .. Convert.FromHexString(hex), .. Encoding.UTF8.GetBytes(record[(at + 1)..])];
    }

    static string Escaped(byte[] bytes) => string.Concat(bytes.Select(value => $"%{value:X2}"));

    static Task<Answer> PostAsync(LocalMixpanel mixpanel, string path, string form) => PostAsync(mixpanel, path, Encoding.ASCII.GetBytes(form));

    static Task<Answer> PostAsync(LocalMixpanel mixpanel, string path, byte[] body) => mixpanel.SendAsync(HttpMethod.Post, path, new ByteArrayContent(body));

    /// <summary>The property of the latest record; empty if there is none.</summary>
    static async Task<string> StoredAsync(LocalMixpanel mixpanel, string path)
    {
        var properties = path switch
        {
            "/track" => await mixpanel.Server.EventsAsync() is [.., var last] ? last.Properties : null,
            "/engage" => await mixpanel.Server.ProfilesAsync() is [.., var last] ? last.Properties : null,
            _ => await mixpanel.Server.GroupsAsync() is [.., var last] ? last.Properties : null,
        };
        return properties is null ? "" : System.Text.Json.JsonElement.Parse(properties).GetProperty("p").GetString()!;
    }
}
