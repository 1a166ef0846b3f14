using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using MixpanelConnector.Testing;

namespace MixpanelConnector.Tests.Transport;

/// <summary>Where a secret must not appear.</summary>
public class SecrecyTests
{
    static readonly string BasicPair = Given.AccountHeader["Basic ".Length..];

    /// <summary>Every form in which the credentials can be reflected.</summary>
    static readonly string[] AccountForms =
    [
        Given.SecretText,
        Uri.EscapeDataString(Given.SecretText),
        Uri.EscapeDataString(Given.SecretText).ToLowerInvariant(),
        System.Net.WebUtility.UrlEncode(Given.SecretText),
        BasicPair,
        BasicPair.TrimEnd('='),
        Uri.EscapeDataString(BasicPair),
        Convert.ToBase64String(Encoding.UTF8.GetBytes(Given.SecretText)),
        Convert.ToHexString(Encoding.UTF8.GetBytes(Given.SecretText)),
        Convert.ToHexStringLower(Encoding.UTF8.GetBytes(Given.SecretText)),
        JsonSerializer.Serialize(Given.SecretText).Trim('"'),
        Given.SecretText.Replace("\"", "\\\"", StringComparison.Ordinal),
    ];

    static readonly string[] TokenForms =
    [
        Given.TokenText,
        Given.TokenText.ToUpperInvariant(),
        Given.TokenHeader["Basic ".Length..],
        Convert.ToHexString(Encoding.UTF8.GetBytes(Given.TokenText)),
    ];

    static readonly string[] Forms = [.. AccountForms, .. TokenForms];

    static void AssertQuiet(string text) => Assert.All(Forms, form => Assert.DoesNotContain(form, text, StringComparison.OrdinalIgnoreCase));

    /// <summary>Everything that an answer can reflect a credential into.</summary>
    static Answer Reflect(string place, string form) => place switch
    {
        "401 text" => Answer.Plain($"bad: {form}!", 401),
        "403 json" => Answer.Json($$"""{"error":{{JsonSerializer.Serialize($"for {form}.")}}}""", 403),
        "404 nested json" => Answer.Json($$"""{"error":{"said":{{JsonSerializer.Serialize(form)}} } }""", 404),
        "400 far down" => Answer.Plain(string.Concat(Enumerable.Repeat(form, 200)), 400),
        "failed record" => Answer.Json(
            $$"""{"code":400,"error":"e","failed_records":[{"index":0,"insert_id":{{JsonSerializer.Serialize(form)}},"field":{{JsonSerializer.Serialize(form)}},"message":{{JsonSerializer.Serialize(form)}} }],"status":{{JsonSerializer.Serialize(form)}}}""",
            400),
        _ => Answer.Plain("", 500),
    };

    public static TheoryData<string, bool> Places
    {
        get
        {
            var data = new TheoryData<string, bool>();
            foreach (var place in (string[])["401 text", "403 json", "404 nested json", "400 far down", "failed record", "500"])
            {
                data.Add(place, true);
                data.Add(place, false);
            }

            return data;
        }
    }

    [Theory, MemberData(nameof(Places))]
    public async Task A_reflected_secret_is_censored_everywhere(string place, bool account)
    {
        foreach (var form in account ? Forms : TokenForms)
        {
            using var log = new Journal();
            await using var server = await RecordingServer.StartAsync(_ => Reflect(place, form));
            using var client = new MixpanelClient((account ? Given.Account() with { Token = Given.TokenText } : Given.Token()).At(server) with
            {
                LoggerFactory = log,
                MaxRetries = 1,
            });
            try
            {
                AssertQuiet((await client.CallAsync("import_events", """{"strict":"1","events":["x"],"properties":{}}""")).GetRawText());
            }
            catch (MixpanelException e)
            {
                AssertQuiet(e.ToString());
                AssertQuiet(e.Error.ToString());
                Assert.Empty(e.Data);
            }

            AssertQuiet(log.Text);
            Assert.NotEmpty(log.Text);
        }
    }

    [Fact]
    public async Task The_log_at_trace_tells_of_calls_and_retries_but_no_secret_and_no_value()
    {
        using var log = new Journal();
        await using var server = await RecordingServer.StartAsync(Answer.Plain("", 503), Answer.Reset, Answer.Json("""{"status":1,"error":null}"""));
        using var client = new MixpanelClient(Given.Token().At(server) with { LoggerFactory = log });

        await client.TrackEventAsync(Given.Track("Secret Wedding"));

        Assert.Contains("POST /track answered 503", log.Text, StringComparison.Ordinal);
        Assert.Contains("POST /track got no response: Unavailable", log.Text, StringComparison.Ordinal);
        Assert.Contains("Attempt 1 failed with status 503; retrying in 2.0 s", log.Text, StringComparison.Ordinal);
        Assert.Contains("POST /track answered 200", log.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("Wedding", log.Text, StringComparison.Ordinal);
        AssertQuiet(log.Text);
    }

    [Fact]
    public async Task A_created_secret_is_in_no_text_but_its_own()
    {
        using var log = new Journal();
        await using var server =
            await RecordingServer.StartAsync(_ => Answer.Json("""{"results":{"id":9,"username":"bot.x","token":"one-time-4711"},"status":"ok"}""", 201));
        using var client = new MixpanelClient(Given.Account().At(server) with { LoggerFactory = log });

        var output = await client.CreateServiceAccountAsync(new() { Username = "bot" });
        var result = await ActionCatalogue.Find("create_service_account")!.InvokeAsync(client, JsonElement.Parse("""{"username":"bot"}"""));

        foreach (var text in (string[])
        [
            output.ToString(),
            JsonSerializer.Serialize(output),
            Encoding.UTF8.GetString(result.Json.Span),
            result.Secrets[0].ToString(),
            log.Text,
        ])
            Assert.DoesNotContain("4711", text, StringComparison.Ordinal);
        Assert.Equal("secret", result.Secrets.Single().Key);
#pragma warning disable RS0030 // what is tested
        Assert.Equal("one-time-4711", result.Secrets[0].Value.Reveal());
#pragma warning restore RS0030
    }

    [Fact]
    public void Options_and_secrets_print_masked()
    {
        var options = Given.Account() with { Token = Given.TokenText, Region = MixpanelRegion.Eu };
        foreach (var text in (string[])
        [
            options.ToString(),
            $"{options}",
            options.ServiceAccount!.ToString(),
            options.ServiceAccount.Secret.ToString(),
            JsonSerializer.Serialize(options.ServiceAccount),
            $"{options.ServiceAccount.Secret}",
        ])
        {
            AssertQuiet(text);
            Assert.NotEmpty(text);
        }

        Assert.Equal("Mixpanel Eu, project 12345, organization 77", options.ToString());
        Assert.Equal("Mixpanel https://proxy.example, project not set, organization not set",
            new MixpanelOptions { Endpoint = new Uri("https://proxy.example/a") }.ToString());
    }

    [Fact]
    public void A_secret_equals_by_its_text_and_is_never_read_from_json()
    {
        Assert.Equal(new MixpanelSecret("a"), new MixpanelSecret("a"));
        Assert.NotEqual(new MixpanelSecret("a"), new MixpanelSecret("b"));
        Assert.Equal("\"***\"", JsonSerializer.Serialize(new MixpanelSecret("a")));
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<MixpanelSecret>("\"a\""));
        Assert.Throws<ArgumentException>(() => new MixpanelSecret(""));
        Assert.Throws<ArgumentNullException>(() => new MixpanelSecret(null!));
    }

    /// <summary>Keeps every message at every level.</summary>
    sealed class Journal : ILoggerFactory, ILogger
    {
        readonly StringBuilder _text = new();

        public string Text
        {
            get { lock (_text) return _text.ToString(); }
        }

        public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

        public ILogger CreateLogger(string categoryName) => this;

        public void Dispose() { }

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            lock (_text)
                _text.AppendLine($"{formatter(state, exception)} {exception} {string.Join(' ', state as IEnumerable<KeyValuePair<string, object?>> ?? [])}");
        }
    }
}
