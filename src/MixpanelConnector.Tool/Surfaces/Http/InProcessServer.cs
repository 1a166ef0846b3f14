using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace MixpanelConnector.Tool.Surfaces.Http;

/// <summary>A server without a socket: it answers requests that another server received, in the same process and at the same address.</summary>
sealed class InProcessServer : IServer
{
    readonly Lock _lock = new();
    readonly TaskCompletionSource _idle = new(TaskCreationOptions.RunContinuationsAsynchronously);
    Func<IFeatureCollection, Task>? _process;
    int _running;
    bool _isStopping;

    public InProcessServer(Uri host)
    {
        IServerAddressesFeature addresses = new Addresses();
        addresses.Addresses.Add(host.AbsoluteUri);
        Features.Set(addresses);
    }

    public IFeatureCollection Features { get; } = new FeatureCollection();

    public async Task AnswerAsync(HttpContext context)
    {
        lock (_lock)
        {
            if (_process is null || _isStopping)
            {
                context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
                return;
            }

            _running++;
        }

        try
        {
            await _process(new FeatureCollection(context.Features));
        }
        finally
        {
            lock (_lock)
            {
                if (--_running == 0 && _isStopping) _idle.TrySetResult();
            }
        }
    }

    public Task StartAsync<TContext>(IHttpApplication<TContext> application, CancellationToken cancellationToken)
        where TContext : notnull
    {
        _process = async features =>
        {
            var context = application.CreateContext(features);
            Exception? failure = null;
            try
            {
                await application.ProcessRequestAsync(context);
            }
            catch (Exception e)
            {
                failure = e;
                throw;
            }
            finally
            {
                application.DisposeContext(context, failure);
            }
        };
        return Task.CompletedTask;
    }

    /// <summary>Accepts no more requests, and waits for running ones until the caller's token is cancelled.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            _isStopping = true;
            if (_running == 0) _idle.TrySetResult();
        }

        await _idle.Task.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public void Dispose() => _process = null;

    sealed class Addresses : IServerAddressesFeature
    {
        ICollection<string> IServerAddressesFeature.Addresses { get; } = [];

        public bool PreferHostingUrls { get; set; }
    }
}
