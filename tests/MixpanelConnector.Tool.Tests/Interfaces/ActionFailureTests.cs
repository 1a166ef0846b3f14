using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using MixpanelConnector.Testing;
using MixpanelConnector.Tool.Surfaces.Docs;

namespace MixpanelConnector.Tool.Tests.Interfaces;

/// <summary>What the error of any action says.</summary>
public sealed class ActionFailureTests
{
    const string Unknown = "took effect is unknown";

    /// <summary>Ways in which no complete response arrives.</summary>
    static readonly Dictionary<string, Func<CancellationToken, Task<HttpResponseMessage>>> Failures = new(StringComparer.Ordinal)
    {
        ["the connection breaks"] = _ => throw new HttpRequestException(HttpRequestError.ResponseEnded),
        ["a handler fails"] = _ => throw new InvalidOperationException("of an application"),
        ["the response is cut"] = _ => Task.FromResult(new HttpResponseMessage(HttpStatusCode.OK) { Content = new StringContent("{\"results\":[") }),
        ["no response comes"] = async stop =>
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop);
            throw new InvalidOperationException("It never ends by itself.");
        },
    };

    public static TheoryData<string> Ways => [.. Failures.Keys];

    [Theory, MemberData(nameof(Ways))]
    public async Task Only_a_write_says_that_its_outcome_is_unknown(string way)
    {
        var writes = 0;
        foreach (var action in ActionCatalogue.Actions)
        {
            using var handler = new FailingHandler(Failures[way]);
            using var http = new HttpClient(handler) { Timeout = Hang.Limit };
            using var client = new MixpanelClient(Options(way == "no response comes" ? TimeSpan.FromSeconds(1) : null), http);
            MixpanelException failure;
            try
            {
                await action.InvokeAsync(client, JsonElement.Parse(XmlDocs.Example(action) ?? "{}"), TestContext.Current.CancellationToken);
                continue; // the text of a table, which can be anything
            }
            catch (MixpanelException e)
            {
                failure = e;
            }

            Assert.True(failure.Error.Kind is ErrorKind.Unavailable or ErrorKind.Timeout or ErrorKind.Protocol, $"{action.Name}: {failure.Message}");
            var says = failure.Message.Contains(Unknown, StringComparison.Ordinal);
            Assert.False(says && action.Effect is ActionEffect.Read, $"{action.Name}: {failure.Message}");
            if (says) writes++;
        }

        Assert.InRange(writes, 25, int.MaxValue);
    }

    /// <summary>Every number in the example of an action, replaced by one that its type cannot hold.</summary>
    [Theory]
    [InlineData("1e308")]
    [InlineData("-1e308")]
    [InlineData("1e29")]
    [InlineData("1e400")]
    [InlineData("99999999999999999999999999999")]
    public async Task A_number_that_is_too_large_is_refused_with_its_place_and_range(string number)
    {
        var numbers = 0;
        foreach (var action in ActionCatalogue.Actions)
        {
            using var handler = new FailingHandler(_ => throw new InvalidOperationException("Nothing is sent."));
            using var http = new HttpClient(handler) { Timeout = Hang.Limit };
            using var client = new MixpanelClient(Options(null), http);
            var schema = action.InputSchema();
            var example = JsonNode.Parse(XmlDocs.Example(action) ?? "{}")!.AsObject();
            foreach (var (name, property) in schema["properties"]!.AsObject())
                if (!example.ContainsKey(name) && (string?)(property!["type"] as JsonValue) is "integer" or "number") example[name] = 1;
            foreach (var (path, replace) in Numbers(example, schema, ""))
            {
                var before = replace(JsonNode.Parse(number));
                var error = (await Assert.ThrowsAsync<MixpanelException>(async () =>
                    await action.InvokeAsync(client, JsonElement.Parse(example.ToJsonString()), TestContext.Current.CancellationToken))).Error;
                replace(before);

                Assert.True(error.Kind is ErrorKind.InvalidInput && error.Field == path, $"{action.Name}: {error.Field} {error.Message}");
                Assert.Matches($"^{Regex.Escape(path)}: must be an? (integer|number) from -?[0-9]+ to -?[0-9]+", error.Message);
                numbers++;
            }
        }

        Assert.InRange(numbers, 40, int.MaxValue);
    }

    /// <summary>The numbers in a value whose schema requires a number, each with its path and a function that replaces it.</summary>
    static List<(string Path, Func<JsonNode?, JsonNode?> Replace)> Numbers(JsonNode value, JsonObject schema, string path)
    {
        var found = new List<(string, Func<JsonNode?, JsonNode?>)>();
        if (value is JsonObject members)
        {
            foreach (var name in members.Select(member => member.Key).ToList())
            {
                if (((schema["properties"] as JsonObject)?[name] ?? schema["additionalProperties"]) is not JsonObject rule || members[name] is not { } member)
                    continue;
                var place = path.Length == 0 ? name : $"{path}.{name}";
                if (IsNumber(rule)) found.Add((place, next => Swap(members[name], () => members[name] = next)));
                else found.AddRange(Numbers(member, rule, place));
            }
        }
        else if (value is JsonArray items && schema["items"] is JsonObject each)
        {
            for (var i = 0; i < items.Count; i++)
            {
                var (index, place) = (i, $"{path}[{i}]");
                if (IsNumber(each)) found.Add((place, next => Swap(items[index], () => items[index] = next)));
                else if (items[i] is { } item) found.AddRange(Numbers(item, each, place));
            }
        }

        return found;

        static bool IsNumber(JsonObject rule) => (string?)(rule["type"] as JsonValue) is "integer" or "number" && rule["enum"] is null;

        static JsonNode? Swap(JsonNode? before, Action set)
        {
            set();
            return before;
        }
    }

    static MixpanelOptions Options(TimeSpan? attempt) => new()
    {
        ServiceAccount = new("robot", new MixpanelSecret(Tool.Secret)),
        Token = "0123456789abcdef0123456789abcdef",
        OAuthToken = new MixpanelSecret("oauth"),
        ProjectId = 1,
        OrganizationId = 1,
        WorkspaceId = 1,
        MaxRetries = 0,
        AttemptTimeout = attempt,
        TimeProvider = new ImpatientClock(),
    };

    sealed class FailingHandler(Func<CancellationToken, Task<HttpResponseMessage>> fail) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => fail(cancellationToken);
    }
}
