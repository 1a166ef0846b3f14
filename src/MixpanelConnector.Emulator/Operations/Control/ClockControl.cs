using System.Globalization;
using Microsoft.AspNetCore.Http;
using MixpanelConnector.Emulator.Http;

namespace MixpanelConnector.Emulator.Operations.Control;

/// <summary><c>/emulator/clock</c>: the clock that determines the age of events, the expiry of accounts, the delay of deletions and the quotas.</summary>
sealed class ClockControl(AdjustableClock clock, Access access)
{
    /// <summary>All times that are derived from the clock must be valid, too.</summary>
    static readonly (DateTimeOffset First, DateTimeOffset Last) Range = (new(1970, 1, 2, 0, 0, 0, TimeSpan.Zero), new(9990, 1, 1, 0, 0, 0, TimeSpan.Zero));

    public async Task ShowAsync(HttpContext context)
    {
        await access.ManagerAsync(context).ConfigureAwait(false);
        await AnswerAsync(context).ConfigureAwait(false);
    }

    public async Task SetAsync(HttpContext context)
    {
        await access.ManagerAsync(context).ConfigureAwait(false);
        var body = await JsonBody.ReadAsync(context).ConfigureAwait(false);
        body.AllowOnly("now", "advance_seconds", "frozen");
        if (body.Has("now") && body.Has("advance_seconds")) throw body.Invalid("advance_seconds", "cannot be combined with now");
        var now = body.Text("now") is { } text
            ? DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var given)
                ? given
                : throw body.Invalid("now", "must be a time like 2026-09-01T12:00:00Z")
            : clock.GetUtcNow();
        if (body.Number("advance_seconds") is { } seconds)
        {
            if (!(seconds >= (Range.First - now).TotalSeconds && seconds <= (Range.Last - now).TotalSeconds))
                throw body.Invalid("advance_seconds", "must result in a time from 1970-01-02 to 9990-01-01");
            now += TimeSpan.FromSeconds(seconds);
        }
        else if (now < Range.First || now > Range.Last)
            throw body.Invalid("now", "must be from 1970-01-02 to 9990-01-01");
        clock.Set(now, hold: body.Boolean("frozen") ?? clock.IsHeld);
        await AnswerAsync(context).ConfigureAwait(false);
    }

    public async Task ReleaseAsync(HttpContext context)
    {
        await access.ManagerAsync(context).ConfigureAwait(false);
        clock.Release();
        await AnswerAsync(context).ConfigureAwait(false);
    }

    Task AnswerAsync(HttpContext context) => context.Response.ResultsAsync(200, json =>
    {
        json.WriteStartObject();
        json.WriteString("now", clock.GetUtcNow().UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
        json.WriteBoolean("frozen", clock.IsHeld);
        json.WriteEndObject();
    });
}
