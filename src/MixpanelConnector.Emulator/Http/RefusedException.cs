namespace MixpanelConnector.Emulator.Http;

/// <summary>Ends a request with an error, which is written in the format of the called API.</summary>
sealed class RefusedException(int status, string error) : Exception(error)
{
    public int Status { get; } = status;

    public static RefusedException BadCredentials() => new(401, "Invalid credentials");
}
