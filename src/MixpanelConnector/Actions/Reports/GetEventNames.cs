using System.ComponentModel.DataAnnotations;
namespace MixpanelConnector;

/// <summary>What to count, and how many names to return.</summary>
public sealed record GetEventNamesInput : ReportInput
{
    /// <summary>What to count: general (every event), unique (users), average (events for each user). Default: general.</summary>
    public EventCountType? Type { get; init; }

    /// <summary>The maximum number of names. Default: 255.</summary>
    [Range(1, long.MaxValue)]
    public long? Limit { get; init; }
}

/// <summary>The event names.</summary>
public sealed record GetEventNamesOutput
{
    /// <summary>The names, the most common first.</summary>
    public required IReadOnlyList<string> Names { get; init; }

    /// <summary>The number of names retrieved.</summary>
    public required int Total { get; init; }
}

/// <summary>How <see cref="MixpanelClient.GetEventNamesAsync(GetEventNamesInput, CancellationToken)"/> is implemented.</summary>
static class GetEventNames
{
    public static async ValueTask<GetEventNamesOutput> ExecuteAsync(ActionContext context, GetEventNamesInput input, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(input);
        var request = context.Request().WithView(input).WithType(input.Type).WithLimit(input.Limit);
        var names = await EventReport.ReadAsync(context, request, EventReport.ReadTexts, cancellationToken).ConfigureAwait(false);
        return new GetEventNamesOutput { Names = names, Total = names.Length };
    }
}

public sealed partial class MixpanelClient
{
    /// <summary>Retrieves the names of the most common events of the last 31 days.</summary>
    /// <example>{"limit":100}</example>
    /// <param name="input">What to count, and how many names to return. Default: the defaults of its properties.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="MixpanelException">The input is invalid, or Mixpanel failed or refused the call.</exception>
    public ValueTask<GetEventNamesOutput> GetEventNamesAsync(GetEventNamesInput? input = null, CancellationToken cancellationToken = default) =>
        InvokeAsync(ReportActions.GetEventNames, input ?? new(), cancellationToken);
}
