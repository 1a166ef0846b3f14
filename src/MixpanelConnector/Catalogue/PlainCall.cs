namespace MixpanelConnector;

/// <summary>
/// The one request of Mixpanel's that an action is, for a program that sends it by itself: the fields of the input go where they
/// are told to under their own names, and the answer is the output, or the list in it.
/// </summary>
public sealed record PlainCall
{
    /// <summary>The method.</summary>
    public required HttpMethod Method { get; init; }

    /// <summary>The path; a part in braces stands for a field, which goes there percent-encoded, or for <c>project_id</c>, the credential's.</summary>
    public required string Path { get; init; }

    /// <summary>Whether the fields that the path does not name are the JSON body. Otherwise they are the query: text as it is, all else as JSON.</summary>
    public required bool HasBody { get; init; }

    /// <summary>Whether the query names the project, as <c>project_id</c>.</summary>
    public required bool NamesProject { get; init; }

    /// <summary>Whether the output may stand in an envelope, <c>results</c>.</summary>
    public required bool HasEnvelope { get; init; }

    /// <summary>Whether the output is the answer as <c>results</c>, with the number of them as <c>total</c> where it is a list.</summary>
    public required bool IsResults { get; init; }
}
