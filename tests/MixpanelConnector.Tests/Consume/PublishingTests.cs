using System.Collections.Concurrent;
using System.IO.Compression;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Time.Testing;
using MixpanelConnector.Queues;
using MixpanelConnector.Transport;

namespace MixpanelConnector.Tests.Consume;

/// <summary>Records published to a queue instead of Mixpanel arrive in the form that a consumer reads, and failures are reported.</summary>
public sealed class PublishingTests : IAsyncDisposable
{
    readonly FakeQueue _queue = new();
    readonly MixpanelQueue _published;

    public PublishingTests() => _published = new MixpanelQueue(FakeQueue.Address, [_queue]);

    public ValueTask DisposeAsync() => _published.DisposeAsync();

    Task<Reply> SendAsync(string path, string json) =>
        QueuedIngestion.SendAsync(_published,
            new MixpanelRequest(HttpMethod.Post, Api.Ingestion, path, AuthScheme.ProjectToken)
            {
                Body = new RequestBody(Encoding.UTF8.GetBytes(json), "application/json"),
            },
            TestContext.Current.CancellationToken);

    static string Plain(QueueBody body)
    {
        using var plain = new StreamReader(new GZipStream(new MemoryStream(body.Body.ToArray()), CompressionMode.Decompress));
        return plain.ReadToEnd();
    }

    static string Event(string text) => $$$"""{"event":"e","properties":{"distinct_id":"u","text":"{{{text}}}","token":"canary-token"}}""";

    static string Update(string person) => $$$"""{"$token":"canary-token","$distinct_id":"{{{person}}}","$set":{"Имя":"Ада"}}""";

    [Fact]
    public async Task Text_takes_the_bytes_that_it_has_and_no_token_goes_along()
    {
        var text = string.Concat(Enumerable.Repeat("Привет 世界 😀 <&'\u00a0", 500));

        Assert.Equal(200, (await SendAsync("/track", $"[{Event(text)}]")).Status);
        Assert.Equal(200, (await SendAsync("/engage", $"[{Update("ада")}]")).Status);
        Assert.Equal(200, (await SendAsync("/groups", $"[{Update("ада").Replace("$distinct_id", "$group_id", StringComparison.Ordinal)}]")).Status);

        Assert.Equal(["events", "events.profiles", "events.groups"], _queue.Published.Select(message => message.Name!), StringComparer.Ordinal);
        var bodies = _queue.Published.Select(message => Plain(message.Body)).ToList();
        Assert.InRange(Encoding.UTF8.GetByteCount(bodies[0]), 1, Encoding.UTF8.GetByteCount(Event(text)));
        Assert.Equal(text, JsonElement.Parse(bodies[0]).GetProperty("properties").GetProperty("text").GetString());
        Assert.All(bodies, body => Assert.DoesNotContain("canary-token", body, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_large_batch_is_parted_below_what_a_consumer_takes()
    {
        var text = new string('x', 900_000);

        Assert.Equal(200, (await SendAsync("/import", $"[{string.Join(',', Enumerable.Repeat(Event(text), 10))}]")).Status);

        Assert.Equal(2, _queue.Published.Count);
        Assert.All(_queue.Published, message => Assert.InRange(Plain(message.Body).Length, 1, 8 << 20));
        Assert.Equal(10, _queue.Published.Sum(message => Plain(message.Body).Count(letter => letter == '\n')));
    }

    [Theory]
    [InlineData(true, 2)]
    [InlineData(false, 1)]
    public async Task A_message_is_of_one_person_where_the_broker_keeps_the_order_of_a_key_alone(bool ordersByKey, int messages)
    {
        _queue.OrdersByKey = ordersByKey;

        await SendAsync("/engage", $"[{Update("a")},{Update("b")},{Update("a")}]");

        Assert.Equal(messages, _queue.Published.Count);
        Assert.Equal(ordersByKey ? ["a", "b"] : [null], _queue.Published.Select(message => message.Body.Key).Order(StringComparer.Ordinal),
            StringComparer.Ordinal);
    }

    /// <summary>RabbitMQ may permanently refuse over one connection what it accepts over another.</summary>
    [Fact]
    public async Task A_queue_that_is_full_is_asked_over_a_new_connection_after_a_while_and_who_waits_on_the_old_one_gets_its_answer()
    {
        var time = new FakeTimeProvider();
        var (asked, answer) = (new TaskCompletionSource(), new TaskCompletionSource());
        await using var queue = new MixpanelQueue(FakeQueue.Address, [_queue], options: null, outbox: null, loggers: null, time);
        Task PublishAsync(string text) =>
            queue.PublishAsync(QueuedKind.Events, new QueueBody(Encoding.UTF8.GetBytes(text), null, null), isRepeatable: true,
                TestContext.Current.CancellationToken);
        _queue.Confirming = body =>
        {
            if (Encoding.UTF8.GetString(body.Body.Span) != "slow") return Task.CompletedTask;
            asked.SetResult();
            return answer.Task;
        };
        var slow = PublishAsync("slow");
        await asked.Task;
        _queue.RefusesToPublish = () => new QueueException(QueueFault.Full, "No.");

        for (var i = 0; i < 3; i++) await Assert.ThrowsAsync<QueueException>(() => PublishAsync("a"));
        Assert.Equal(1, _queue.Publishers);
        time.Advance(TimeSpan.FromSeconds(1));
        for (var i = 0; i < 3; i++) await Assert.ThrowsAsync<QueueException>(() => PublishAsync("b"));
        Assert.Equal((2, 0), (_queue.Publishers, _queue.PublishersClosed));
        answer.SetResult();
        await slow;
        while (_queue.PublishersClosed < 1) await Task.Yield();
        _queue.RefusesToPublish = () => null;
        await PublishAsync("c");

        Assert.Equal(2, _queue.Publishers);
        Assert.Equal(["slow", "c"], _queue.Published.Select(message => Encoding.UTF8.GetString(message.Body.Body.Span)), StringComparer.Ordinal);
    }

    [Fact]
    public async Task All_who_wait_for_a_connection_share_one_attempt()
    {
        var attempts = 0;
        var answer = new TaskCompletionSource();
        _queue.Connecting = () =>
        {
            Interlocked.Increment(ref attempts);
            return answer.Task;
        };
        var waiting = Enumerable.Range(0, 20).Select(_ => SendAsync("/import", $"[{Event("a")}]")).ToList();
        answer.SetException(new QueueException(QueueFault.Unavailable, "No."));

        Assert.All(await Task.WhenAll(waiting), reply => Assert.Equal((0, false), (reply.Status, reply.MayHaveArrived)));
        Assert.Equal(1, attempts);
    }

    [Fact]
    public async Task A_connection_that_ended_while_nobody_used_it_is_not_used()
    {
        Assert.Equal(200, (await SendAsync("/engage", $"[{Update("a")}]")).Status);
        _queue.IsClosed = true;
        _queue.Connecting = () =>
        {
            _queue.IsClosed = false;
            return Task.CompletedTask;
        };

        Assert.Equal(200, (await SendAsync("/engage", $"[{Update("a")}]")).Status);
        Assert.Equal(2, _queue.Publishers);
    }

    [Fact]
    public async Task Of_several_messages_one_that_may_have_arrived_decides()
    {
        _queue.OrdersByKey = true;
        var refusals = new ConcurrentQueue<QueueException>([new(QueueFault.Refused, "No."), new(QueueFault.Unavailable, "Who knows.")]);
        _queue.RefusesToPublish = () => refusals.TryDequeue(out var refusal) ? refusal : null;

        var reply = await SendAsync("/engage", $"[{Update("a")},{Update("b")}]");

        Assert.Equal((0, true), (reply.Status, reply.MayHaveArrived));
    }

    [Theory]
    [InlineData(nameof(QueueFault.Unavailable), true, 0, false)]
    [InlineData(nameof(QueueFault.Missing), true, 0, false)]
    [InlineData(nameof(QueueFault.Unavailable), false, 0, true)]
    [InlineData(nameof(QueueFault.Full), false, 0, false)]
    [InlineData(nameof(QueueFault.Forbidden), false, 0, false)]
    [InlineData(nameof(QueueFault.Refused), false, 413, false)]
    public async Task What_did_not_arrive_for_certain_is_told_so(string fault, bool asItConnects, int status, bool mayHaveArrived)
    {
        var refusal = new QueueException(Enum.Parse<QueueFault>(fault), "No.");
        if (asItConnects) _queue.RefusesPublishers = () => refusal;
        else _queue.RefusesToPublish = () => refusal;

        var reply = await SendAsync("/engage", $"[{Update("a")}]");

        Assert.Equal((status, mayHaveArrived), (reply.Status, reply.Status == 0 && reply.MayHaveArrived));
    }
}
