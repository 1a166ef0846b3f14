using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace MixpanelConnector.AspNetCore;

/// <summary>Has the events and flags of a request know whom and what it is about.</summary>
public static class MixpanelRequestExtensions
{
    /// <summary>Adds what <see cref="UseMixpanel"/> needs, and an <see cref="EvaluationContext"/> of each request, for flags.</summary>
    /// <param name="builder">What <c>AddMixpanel</c> gave.</param>
    /// <param name="configure">Says what is taken of a request.</param>
    public static MixpanelBuilder AddRequests(this MixpanelBuilder builder, Action<MixpanelRequestOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var options = new MixpanelRequestOptions();
        configure?.Invoke(options);
        builder.Services.TryAddSingleton(new RequestReader(options));
        builder.Services.AddHttpContextAccessor();
        builder.Services.TryAddScoped(provider => provider.GetRequiredService<IHttpContextAccessor>().HttpContext is { } http
            ? provider.GetRequiredService<RequestReader>().FlagsOf(http)
            : throw new InvalidOperationException("There is no request here to evaluate flags for: make an EvaluationContext."));
        return builder;
    }

    /// <summary>From here on, an event that is tracked in a request is of its person and device, and has its groups and the tags of its campaign; what the event says of its own stands. Of a person who does not want to be tracked, as far as the options ask that, nothing is taken in the request. After the authentication, which knows the person.</summary>
    /// <param name="app">The application.</param>
    public static IApplicationBuilder UseMixpanel(this IApplicationBuilder app)
    {
        ArgumentNullException.ThrowIfNull(app);
        var reader = app.ApplicationServices.GetService<RequestReader>() ?? throw new InvalidOperationException("UseMixpanel needs AddRequests: builder.Services.AddMixpanel(…).AddRequests().");
        return app.Use(async (http, next) =>
        {
            using var scope = MixpanelScope.Begin(reader.UserOf(http), reader.PropertiesOf(http), reader.IsOptedOut(http));
            await next(http).ConfigureAwait(false);
        });
    }
}
