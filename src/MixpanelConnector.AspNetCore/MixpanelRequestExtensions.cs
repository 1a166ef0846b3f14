using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace MixpanelConnector.AspNetCore;

/// <summary>Adds the person, the groups and further details of an HTTP request to its events and flags.</summary>
public static class MixpanelRequestExtensions
{
    /// <summary>Adds the services that <see cref="UseMixpanel"/> needs, and a scoped <see cref="EvaluationContext"/> of the request, for flags.</summary>
    /// <param name="builder">The builder that <c>AddMixpanel</c> returned.</param>
    /// <param name="configure">Configures what is read from a request.</param>
    /// <returns>The same builder.</returns>
    public static MixpanelBuilder AddRequests(this MixpanelBuilder builder, Action<MixpanelRequestOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var options = new MixpanelRequestOptions();
        configure?.Invoke(options);
        builder.Services.TryAddSingleton(provider => new RequestReader(options,
            provider.GetService<ILoggerFactory>()?.CreateLogger("MixpanelConnector.AspNetCore") ?? NullLogger.Instance));
        builder.Services.AddHttpContextAccessor();
        builder.Services.TryAddScoped(provider => provider.GetRequiredService<IHttpContextAccessor>().HttpContext is { } http
            ? provider.GetRequiredService<RequestReader>().FlagsOf(http)
            : throw new InvalidOperationException("There is no current request to evaluate flags for: create an EvaluationContext."));
        return builder;
    }

    /// <summary>
    /// Adds a middleware after which events tracked in a request get its person and device, its groups and its campaign tags; properties set on the event
    /// itself take precedence. If the person has opted out by one of the ways that the options enable, nothing is tracked in the request. Call it after
    /// authentication, which identifies the person.
    /// </summary>
    /// <param name="app">The application.</param>
    /// <returns>The same application.</returns>
    /// <exception cref="InvalidOperationException"><see cref="AddRequests"/> was not called.</exception>
    public static IApplicationBuilder UseMixpanel(this IApplicationBuilder app)
    {
        ArgumentNullException.ThrowIfNull(app);
        var reader = app.ApplicationServices.GetService<RequestReader>()
            ?? throw new InvalidOperationException("UseMixpanel requires AddRequests: builder.Services.AddMixpanel(…).AddRequests().");
        return app.Use(async (http, next) =>
        {
            using var scope = reader.Begin(http);
            await next(http).ConfigureAwait(false);
        });
    }
}
