using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using MixpanelConnector.Flags;
using MixpanelConnector.Transport;

namespace MixpanelConnector;

/// <summary>
/// Mixpanel's feature flags, evaluated in this process as the official SDKs do: definitions are fetched at once and then
/// polled in the background, and an evaluation takes less than a microsecond. Create one and reuse it; it is thread-safe.
/// </summary>
/// <remarks>Until the first definitions have arrived, and when nothing else applies, flags use their fallback, which the caller specifies.</remarks>
public sealed partial class MixpanelFlags : IMixpanelFlags, IAsyncDisposable, IDisposable
{
    readonly MixpanelClient _client;
    readonly bool _ownsClient;
    readonly MixpanelOptions _options;
    readonly FlagOptions _flags;
    readonly FlagRequests _requests;
    readonly ExposureReport _exposures;
    readonly FlagFile? _file;
    readonly ILogger _logger;
    readonly LogLimit _failures;
    readonly CancellationTokenSource _stop = new();
    readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly Task _polling;
    byte[] _hash = [];
    FlagSnapshot _current;

    /// <summary>Creates flags with connections of their own, and starts to fetch the definitions.</summary>
    /// <param name="options">How to reach Mixpanel, and with which credentials. A project token is enough.</param>
    /// <param name="tracker">Receives the exposures; the caller disposes it after the flags. Default: none, and nothing is reported.</param>
    /// <param name="flags">The options. Default: those of <see cref="FlagOptions"/>.</param>
    /// <exception cref="MixpanelException">An option is out of range, or there is no credential.</exception>
    public MixpanelFlags(MixpanelOptions options, IMixpanelTracker? tracker = null, FlagOptions? flags = null)
        : this(new MixpanelClient(options), tracker, flags, ownsClient: true) { }

    /// <summary>Creates flags that use a client, which the caller disposes after them, and starts to fetch the definitions.</summary>
    /// <param name="client">The client.</param>
    /// <param name="tracker">Receives the exposures; the caller disposes it after the flags. Default: none, and nothing is reported.</param>
    /// <param name="flags">The options. Default: those of <see cref="FlagOptions"/>.</param>
    /// <exception cref="MixpanelException">An option is out of range, or there is no credential.</exception>
    public MixpanelFlags(MixpanelClient client, IMixpanelTracker? tracker = null, FlagOptions? flags = null)
        : this(client ?? throw new ArgumentNullException(nameof(client)), tracker, flags, ownsClient: false) { }

    MixpanelFlags(MixpanelClient client, IMixpanelTracker? tracker, FlagOptions? flags, bool ownsClient)
    {
        // Background work belongs to no request, not even to the one that created the flags.
        using IDisposable? unbound = ExecutionContext.IsFlowSuppressed() ? null : ExecutionContext.SuppressFlow();
        (_client, _ownsClient, _options, _flags) = (client, ownsClient, client.Options, (flags ?? new()).Validated());
        _requests = new FlagRequests(client.Transport, _flags.RequestTimeout);
        _logger = HarmlessLogger.Create(_options, "MixpanelConnector.Flags");
        _failures = new LogLimit(_options.TimeProvider, lines: 1);
        _exposures = new ExposureReport(tracker, _options, _flags.DeduplicatesExposures);
        _current = new FlagSnapshot(FlagSet.Empty, _exposures);
        _polling = Task.CompletedTask;
        if (!_flags.FetchesDefinitions) return;
        if (_flags.Folder is { } folder)
        {
            _file = new FlagFile(folder, _options);
            Load(_file);
        }

        _polling = Task.Run(PollAsync, CancellationToken.None);
    }

    /// <summary>Whether the definitions have been fetched from Mixpanel at least once. Those of <see cref="FlagOptions.Folder"/> apply before that.</summary>
    public bool IsReady => _ready.Task.IsCompleted;

    /// <summary>Why the last fetch of the definitions failed; null when it succeeded. The previous definitions stay in effect.</summary>
    public MixpanelError? LastError { get; private set; }

    /// <inheritdoc/>
    public IReadOnlyList<string> Keys => Snapshot().Keys;

    /// <summary>
    /// Returns the current definitions, which do not change for as long as the snapshot is used: with one per request, its results never contradict each other.
    /// </summary>
    public FlagSnapshot Snapshot() => Volatile.Read(ref _current);

    /// <inheritdoc/>
    public FlagEvaluation Evaluate(string key, EvaluationContext context, bool reportExposure = true) => Snapshot().Evaluate(key, context, reportExposure);

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, FlagEvaluation> EvaluateAll(EvaluationContext context) => Snapshot().EvaluateAll(context);

    /// <summary>Manually reports that a person has seen a variant, such as one from <see cref="EvaluateAll"/>.</summary>
    /// <param name="key">The key of the flag.</param>
    /// <param name="evaluation">The evaluation of the flag.</param>
    /// <param name="context">The context of the evaluation.</param>
    /// <returns>Whether it was reported: false without a variant, a <c>distinct_id</c> or a tracker, and while a previous report is remembered.</returns>
    public bool TrackExposure(string key, FlagEvaluation evaluation, EvaluationContext context)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(evaluation);
        ArgumentNullException.ThrowIfNull(context);
        return _exposures.Add(key, evaluation, context);
    }

    /// <summary>Waits for the first definitions.</summary>
    /// <param name="limit">The timeout.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>Whether they have arrived: see <see cref="IsReady"/>.</returns>
    public async Task<bool> WaitUntilReadyAsync(TimeSpan limit, CancellationToken cancellationToken = default)
    {
        try
        {
            await _ready.Task.WaitAsync(limit, _options.TimeProvider, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    /// <summary>Stops fetching. The fetched definitions can still be evaluated.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _polling.ConfigureAwait(false);
        if (_ownsClient) _client.Dispose();
    }

    /// <summary>Like <see cref="DisposeAsync"/>, but blocks the thread. Prefer <c>await using</c>.</summary>
    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();

    async Task PollAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            await FetchAsync().ConfigureAwait(false);
            var wait = _flags.PollInterval * (1 - (_options.Randomizer() / 10));
            await Task.Delay(wait, _options.TimeProvider, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    async Task FetchAsync()
    {
        try
        {
            var reply = await _requests.DefinitionsAsync(_stop.Token).ConfigureAwait(false);
            if (reply is not { Failure: null, Status: 200 }) Failed(ReplyClassifier.ErrorOf(reply, _options));
            else if (!Apply(reply.Body.Span, isFetched: true)) Failed(FlagRequests.NoDefinitions(reply));
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // Polling ends.
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            Failed(new(ErrorKind.Unavailable, $"The flag definitions could not be fetched: {e.GetType().Name}.")); // unforeseen; the next fetch may succeed
        }
    }

    /// <summary>Applies definitions, all at once.</summary>
    /// <returns>False when it contains no definitions.</returns>
    bool Apply(ReadOnlySpan<byte> answer, bool isFetched)
    {
        var hash = SHA256.HashData(answer);
        var isOther = !hash.AsSpan().SequenceEqual(_hash);
        if (isOther)
        {
            if (FlagSnapshot.Read(answer, _exposures) is not { } snapshot) return false;
            foreach (var fault in snapshot.LeftOut.Take(10)) LogLeftOut(fault);
            if (snapshot.LeftOut.Count > 10) LogMoreLeftOut(snapshot.LeftOut.Count - 10);
            _hash = hash;
            Volatile.Write(ref _current, snapshot);
        }

        if (!isFetched) return true;
        LastError = null;
        _ready.TrySetResult();
        if (isOther) Keep(answer);
        if (isOther) Tell();
        return true;
    }

    void Failed(MixpanelError error)
    {
        LastError = error;
        if (_failures.Allows(1, out var times)) LogFetchFailed(error.Message, times);
    }

    void Load(FlagFile file)
    {
        try
        {
            if (file.Read() is { } kept && !Apply(kept, isFetched: false)) LogFileFailed("it does not contain definitions");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            LogFileFailed(e.Message);
        }
    }

    void Keep(ReadOnlySpan<byte> answer)
    {
        try
        {
            _file?.Write(answer);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            LogFileFailed(e.Message);
        }
    }

    [SuppressMessage("Design", "CA1031", Justification = "A handler of the application's must not end the polling.")]
    void Tell()
    {
        try
        {
            _flags.OnChanged?.Invoke();
        }
        catch (Exception e)
        {
            LogHandlerFailed(e.GetType().Name);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "The flag definitions could not be fetched ({Times} times), and the previous ones stay in use: {Reason}")]
    partial void LogFetchFailed(string reason, long times);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A flag definition is skipped, {Fault}")]
    partial void LogLeftOut(string fault);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Count} more flag definitions are skipped")]
    partial void LogMoreLeftOut(int count);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The file with the last good flag definitions is not used: {Reason}")]
    partial void LogFileFailed(string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "The handler of changed flags threw {Exception}")]
    partial void LogHandlerFailed(string exception);
}
