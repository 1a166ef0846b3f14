using static MixpanelConnector.Tests.Import.ImportRun;

namespace MixpanelConnector.Tests.Import;

/// <summary>The caller's callbacks throw: the import ends cleanly, the caller gets the exception, and the same call resumes.</summary>
public sealed class CallbacksTests : IDisposable
{
    readonly ImportRun _run = new();
    readonly InMemoryImportState _state = new();

    public void Dispose()
    {
        _run.Dispose();
        _state.Dispose();
    }

    async Task ResumesAsync(ImportRequest request, int accepted, int rejected)
    {
        var report = await _run.RunAsync(request with { Progress = null, Diagnostics = null }, _state);
        Assert.Equal((accepted, rejected), (report.Accepted, report.Rejected));
        Assert.Equal(accepted, _run.StoredNumbers().Distinct().Count());
    }

    [Fact]
    public async Task A_progress_callback()
    {
        var request = _run.Request(_run.Folder.Write("a", Events(50_000))) with { Progress = new Failing<ImportProgress>() };
        _run.Mixpanel.Script = _ =>
        {
            _run.Clock.Advance(TimeSpan.FromSeconds(1));
            return null;
        };
        await Assert.ThrowsAsync<NotSupportedException>(() => _run.RunAsync(request, _state));
        await ResumesAsync(request, 50_000, 0);
    }

    [Fact]
    public async Task A_diagnostics_callback_on_the_reading_side()
    {
        var request =
            _run.Request(_run.Folder.Write("a", Events(5000) + "nonsense\n" + Event(5000) + "\n")) with { Diagnostics = new Failing<ImportDiagnostic>() };
        await Assert.ThrowsAsync<NotSupportedException>(() => _run.RunAsync(request, _state));
        await ResumesAsync(request, 5001, 1);
    }

    [Fact]
    public async Task A_diagnostics_callback_on_the_sending_side()
    {
        var request = _run.Request(_run.Folder.Write("a", Events(20_000))) with { Diagnostics = new Failing<ImportDiagnostic>(), Senders = 1 };
        _run.Mixpanel.Script = arrived => _run.Mixpanel.TakeAllBut(arrived, 0, 5);
        await Assert.ThrowsAsync<NotSupportedException>(() => _run.RunAsync(request, _state));
        var settled = _state.Load()!.Totals;
        Assert.True(settled.Rejected > 0, "what was settled is not there");
        Assert.Equal(settled.Rejected, File.ReadLines(_run.DeadLetterPath).LongCount());
        await ResumesAsync(request, 20_000 - 20, 20);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task A_state_that_throws_what_no_state_should(int atSave)
    {
        using var state = new FailingState(atSave);
        var request = _run.Request(_run.Folder.Write("a", Events(100_000))) with { BatchEvents = 100, CheckpointInterval = TimeSpan.Zero };
        await Assert.ThrowsAsync<NotSupportedException>(() => _run.RunAsync(request, state));
    }

    sealed class Failing<T> : IProgress<T>
    {
        public void Report(T value) => throw new NotSupportedException();
    }

    sealed class FailingState(int atSave) : IImportState
    {
        int _saves;

        public string? DeadLetterPath => null;

        public ImportCheckpoint? Load() => null;

        public void Save(ImportCheckpoint checkpoint)
        {
            if (++_saves >= atSave) throw new NotSupportedException();
        }

        public IEnumerable<ReadOnlyMemory<byte>> DeadLetters() => [];

        public void Clear() { }

        public void Dispose() { }
    }
}
