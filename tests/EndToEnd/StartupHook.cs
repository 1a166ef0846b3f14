using System.Reflection;
using System.Runtime.Loader;

#pragma warning disable CA1050, MA0047 // The runtime looks for this name, in no namespace.
/// <summary>Runs in the process of the program before it does (<c>DOTNET_STARTUP_HOOKS</c>), and writes at its end what it has loaded and built.</summary>
static class StartupHook
{
    /// <summary>The environment variable that names the file to write.</summary>
    public const string Report = "STARTUP_REPORT";

    public static void Initialize() => AppDomain.CurrentDomain.ProcessExit += (_, _) => File.WriteAllLines(Environment.GetEnvironmentVariable(Report)!,
    [
        $"{Schemas()} schemas,",
        .. AssemblyLoadContext.Default.Assemblies
            .Where(assembly => assembly != typeof(StartupHook).Assembly && !IsOfTheRuntime(assembly))
            .Select(assembly => assembly.GetName().Name!)
            .Order(StringComparer.Ordinal),
    ]);

    static bool IsOfTheRuntime(Assembly assembly) => Path.GetDirectoryName(assembly.Location) == Path.GetDirectoryName(typeof(object).Assembly.Location);

    static int Schemas()
    {
        var actions = (System.Collections.IEnumerable)Type.GetType("MixpanelConnector.ActionCatalogue, MixpanelConnector", throwOnError: true)!
            .GetProperty("Actions", BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)!.GetValue(null)!;
        return actions.Cast<object>().Count(action =>
            action.GetType().GetField("_inputSchema", BindingFlags.Instance | BindingFlags.NonPublic)!.GetValue(action) is not null);
    }
}
