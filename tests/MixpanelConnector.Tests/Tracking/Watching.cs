namespace MixpanelConnector.Tests.Tracking;

/// <summary>Inspects the context of a request when it is sent.</summary>
sealed class Watching(HttpMessageHandler inner, Action watch) : DelegatingHandler(inner)
{
    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        lock (watch) watch();
        return base.SendAsync(request, cancellationToken);
    }
}
