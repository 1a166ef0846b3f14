using System.Text;
using MixpanelConnector.Testing;

namespace MixpanelConnector.Tool.Tests.Interfaces;

/// <summary>A fake Mixpanel for a table of rows, with every interface in front of it. Rows without settings share interfaces.</summary>
public sealed class RowMixpanel : IAsyncLifetime
{
    RowServer _server = null!;
    EveryInterface _usual = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await RowServer.StartAsync();
        _usual = await EveryInterface.StartAsync(_server.Settings(row: null));
    }

    public async ValueTask DisposeAsync()
    {
        await _usual.DisposeAsync();
        await _server.DisposeAsync();
    }

    /// <summary>Executes a call of a row, and compares the requests to Mixpanel with the row.</summary>
    internal async Task<T> CallAsync<T>(ActionRow row, ActionDescriptor action, Func<EveryInterface, Task<T>> call)
    {
        var own = row.Settings is null ? null : await EveryInterface.StartAsync(_server.Settings(row));
        try
        {
            _server.Begin(row);
            (own ?? _usual).Renew();
            var given = await call(own ?? _usual);
            EnsureAsked(action);
            return given;
        }
        finally
        {
            if (own is not null) await own.DisposeAsync();
        }
    }

    /// <summary>Executes a call that must not reach Mixpanel.</summary>
    internal async Task CallInVainAsync(ActionRow row, Func<EveryInterface, Task> call)
    {
        _server.Begin(row);
        await call(_usual);
        Assert.Empty(_server.Asked);
    }

    void EnsureAsked(ActionDescriptor action)
    {
        Assert.Null(_server.Difference());
        if (_server.Asked is not [.., var last]) return;
        Assert.Equal(
            action.Auth switch
            {
                AuthScheme.ProjectToken => null,
                AuthScheme.OAuthToken => $"Bearer {RowServer.OAuthToken}",
                _ => $"Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes($"{RowServer.Username}:{RowServer.Secret}"))}",
            }, last.Header("Authorization"));
    }
}
