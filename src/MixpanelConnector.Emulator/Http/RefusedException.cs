using Microsoft.AspNetCore.Http;

namespace MixpanelConnector.Emulator.Http;

/// <summary>Ends a request with an error, which is written in the format of the called API.</summary>
sealed class RefusedException(int status, string error) : Exception(error)
{
    public int Status { get; } = status;

    public static RefusedException BadCredentials() => new(401, "Invalid credentials");

    /// <summary>
    /// A parameter that the operation does not have. Those of a signature, which older clients send instead of credentials, are credentials that are not
    /// accepted.
    /// </summary>
    public static RefusedException UnknownParameter(HttpRequest request, string name) =>
        name is ("api_key" or "expire" or "sig") && request.Headers.Authorization.Count == 0
            ? BadCredentials()
            : new RefusedException(400, $"unknown parameter: {name}");
}
