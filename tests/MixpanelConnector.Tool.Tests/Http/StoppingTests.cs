using MixpanelConnector.Testing;

namespace MixpanelConnector.Tool.Tests.Http;

/// <summary>Requests that are running when the server is asked to stop.</summary>
public sealed class StoppingTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_request_that_changes_data_completes(bool isIdempotent)
    {
        var (received, gate) = (NewSignal(), NewSignal());
        await using var served = await Served.StartAsync(options => options, _ =>
        {
            received.TrySetResult();
            gate.Task.Wait();
            return Answer.Json(Served.Imported);
        });
        var sent = served.PostAsync("/v1/actions/import_events", Served.OneEvent, isIdempotent ? [("Idempotency-Key", "one")] : []);
        await received.Task;
        var stopping = served.Gateway.DisposeAsync();

        Assert.False(stopping.IsCompleted);
        gate.SetResult();
        var answer = await sent;
        Assert.Equal(200, (int)answer.StatusCode);
        Assert.Equal(1, (await answer.JsonAsync()).GetProperty("num_records_imported").GetInt32());
        await stopping;
        Assert.DoesNotContain("internal", served.Log, StringComparison.Ordinal);
    }

    static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
