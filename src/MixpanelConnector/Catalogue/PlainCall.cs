namespace MixpanelConnector;

/// <summary>
/// The single Mixpanel request that an action consists of, for a program that sends it by itself. The fields of the input keep their
/// names and go where this record specifies. The answer is the output, or the list in it.
/// </summary>
public sealed record PlainCall
{
    /// <summary>The HTTP method.</summary>
    public required HttpMethod Method { get; init; }

    /// <summary>The path; a part in braces stands for a field, which is percent-encoded, or for <c>project_id</c>, from the credential.</summary>
    public required string Path { get; init; }

    /// <summary>
    /// Whether the fields that the path does not name form the JSON body. Otherwise they form the query: text unchanged, everything else as JSON.
    /// </summary>
    public required bool HasBody { get; init; }

    /// <summary>Whether the query names the project, as <c>project_id</c>.</summary>
    public required bool NamesProject { get; init; }

    /// <summary>Whether the output may be wrapped in an envelope, <c>results</c>.</summary>
    public required bool HasEnvelope { get; init; }

    /// <summary>Whether the output is the answer as <c>results</c>, with their number as <c>total</c> where it is a list.</summary>
    public required bool IsResults { get; init; }
}
