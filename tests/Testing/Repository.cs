namespace MixpanelConnector.Testing;

/// <summary>The folders of the repository that the tests run in.</summary>
public static class Repository
{
    public static string Root { get; } = Find();

    public static string File(string relative) => Path.Combine(Root, relative);

    static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (System.IO.File.Exists(Path.Combine(folder.FullName, "MixpanelConnector.slnx"))) return folder.FullName;
        }

        throw new InvalidOperationException("The tests must run from a checkout.");
    }
}
