namespace MixpanelConnector.EndToEnd;

/// <summary>A program compiled ahead of time for this platform, from what the build made, without a warning.</summary>
public abstract class Published(string project, string program) : IAsyncLifetime
{
    /// <summary>Compilers take every core: the tests that need one run one after the other.</summary>
    public const string Programs = "Published programs";

    readonly Home _home = new();

    public string Program => _home.File($"published/{program}");

    public async ValueTask InitializeAsync()
    {
        using var publish = Run.Start("dotnet", ["publish", project, "-c", "Release", "-o", _home.File("published"), "-p:BuildProjectReferences=false", "-nologo"], _home);
        var published = await Run.EndAsync(publish);
        Assert.True(published.ExitCode == 0, published.ToString());
        Assert.DoesNotContain("warning", published.Output, StringComparison.OrdinalIgnoreCase);
    }

    public ValueTask DisposeAsync()
    {
        _home.Dispose();
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }
}
