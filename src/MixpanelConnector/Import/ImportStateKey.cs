using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using MixpanelConnector.Import.Source;
using MixpanelConnector.Transport;

namespace MixpanelConnector;

/// <summary>Names the state of an import, so that the same call finds its checkpoint again.</summary>
public static class ImportStateKey
{
    /// <summary>
    /// Returns a folder name that is the same for the same type, real input paths or source id, project, and endpoint, region or local store. Returns null for
    /// standard input or an unnamed pipe without a source id, which cannot be resumed.
    /// </summary>
    /// <param name="request">The import.</param>
    /// <param name="options">The project, the region and the endpoint.</param>
    /// <returns>The name: 20 hexadecimal digits; null when the import cannot be resumed.</returns>
    /// <exception cref="MixpanelException">An option of the import is out of range.</exception>
    public static string? For(ImportRequest request, MixpanelOptions options)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(options);
        request.Validated();
        var isStream = request.Inputs is ["-"] || (request.Inputs is [var only] && InputList.IsUnnamedPipe(only));
        if (isStream && request.SourceId is null) return null;

        var parts = new List<string>
        {
            (request.Replay is null ? request.Type : ImportType.Events).ToString(), // dead letters have a type of their own
            options.ProjectId?.ToString(CultureInfo.InvariantCulture) ?? options.Token ?? "",
            request.LocalStore ?? Hosts.BaseAddress(options, Api.Ingestion).AbsoluteUri,
            request.Replay is null ? "import" : "replay",
        };
        if (isStream) parts.Add(request.SourceId!);
        else if (request.Replay is { } replay) parts.Add(InputList.RealPath(replay));
        else parts.AddRange(request.Inputs.Select(input => request.IsAddress(input) ? input : InputList.RealPath(input)));

        // Each part is prefixed with its length, so that no two lists produce the same text.
        var text = string.Concat(parts.Select(part => string.Create(CultureInfo.InvariantCulture, $"{part.Length}:{part}")));
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..20];
    }
}
