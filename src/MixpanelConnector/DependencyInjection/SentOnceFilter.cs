using Microsoft.Extensions.Http;
using MixpanelConnector.Transport;

namespace MixpanelConnector;

/// <summary>Puts <see cref="SentOnce.Handler"/> next to the wire: inside the handlers that an application gives to the client, and inside those that it gives to all clients.</summary>
sealed class SentOnceFilter(string clientName) : IHttpMessageHandlerBuilderFilter
{
    public Action<HttpMessageHandlerBuilder> Configure(Action<HttpMessageHandlerBuilder> next) => builder =>
    {
        next(builder);
        if (builder.Name == clientName && !builder.AdditionalHandlers.OfType<SentOnce.Handler>().Any()) builder.AdditionalHandlers.Add(new SentOnce.Handler());
    };
}
