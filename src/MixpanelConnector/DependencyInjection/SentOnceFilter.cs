using Microsoft.Extensions.Http;
using MixpanelConnector.Transport;

namespace MixpanelConnector;

/// <summary>
/// Makes <see cref="SentOnce.Handler"/> the innermost handler: inside those that an application adds to this client, and those that it adds to all clients.
/// </summary>
sealed class SentOnceFilter(string clientName) : IHttpMessageHandlerBuilderFilter
{
    public Action<HttpMessageHandlerBuilder> Configure(Action<HttpMessageHandlerBuilder> next) => builder =>
    {
        next(builder);
        if (builder.Name == clientName && !builder.AdditionalHandlers.OfType<SentOnce.Handler>().Any()) builder.AdditionalHandlers.Add(new SentOnce.Handler());
    };
}
