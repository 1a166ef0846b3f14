namespace MixpanelConnector.Emulator;
#pragma warning disable
public static class DevelopmentCredentials { public const string Token="local", ServiceAccountUsername="local", ServiceAccountSecret="local"; public const long ProjectId=1, OrganizationId=1; }
public sealed record EmulatorOptions { public int Port {get;init;} public string? DataDirectory {get;init;} public TimeProvider TimeProvider {get;init;} }
public sealed class DataFolderInUseException : Exception { public Uri? Address {get;} }
public sealed class EmulatedMixpanel : IAsyncDisposable { public Uri Address {get;} public static Uri? FindRunning(string d)=>null; public static Task<EmulatedMixpanel> StartAsync(EmulatorOptions o, CancellationToken c=default)=>throw new IOException("stub"); public ValueTask DisposeAsync()=>default; }
