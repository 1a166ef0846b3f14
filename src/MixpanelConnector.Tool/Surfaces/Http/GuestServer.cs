using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace MixpanelConnector.Tool.Surfaces.Http;

/// <summary>A server without a socket: it answers requests that came to another one, in the same process and under the same address.</summary>
sealed class GuestServer : IServer
{
    Func<IFeatureCollection, Task>? _process;

    public GuestServer(Uri host)
    {
        IServerAddressesFeature addresses = new Addresses();
        addresses.Addresses.Add(host.AbsoluteUri);
        Features.Set(addresses);
    }

    public IFeatureCollection Features { get; } = new FeatureCollection();

    public Task AnswerAsync(HttpContext context) => (_process ?? throw new InvalidOperationException("The server is not started."))(new FeatureCollection(context.Features));

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

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => _process = null;

    sealed class Addresses : IServerAddressesFeature
    {
        ICollection<string> IServerAddressesFeature.Addresses { get; } = [];

        public bool PreferHostingUrls { get; set; }
    }
}
