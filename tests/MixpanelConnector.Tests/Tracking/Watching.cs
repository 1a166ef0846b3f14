namespace MixpanelConnector.Tests.Tracking;

/// <summary>Looks at what is around a request when it leaves.</summary>
sealed class Watching(HttpMessageHandler inner, Action watch) : DelegatingHandler(inner)
{
    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        lock (watch) watch();
        return base.SendAsync(request, cancellationToken);
    }
}
