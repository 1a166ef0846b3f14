namespace MixpanelConnector.Transport;

enum VerdictKind
{
    /// <summary>Every record is in.</summary>
    Accepted,

    /// <summary>The named records are refused, all others are in.</summary>
    Partial,

    /// <summary>Nothing is in: send smaller batches.</summary>
    TooLarge,

    /// <summary>The batch was refused, but not so that each record's fate is known: divide it and ask again.</summary>
    Ambiguous,

    /// <summary>A success whose count does not equal what was sent.</summary>
    Miscounted,

    /// <summary>No answer, or one that asks to try again later: send the same bytes again.</summary>
    Retry,

    /// <summary>Something answered that is not to be trusted as Mixpanel.</summary>
    Untrusted,

    /// <summary>The credentials or the project are refused: nothing will succeed.</summary>
    Unauthorized,
}

/// <summary>What an answer means for a batch of records.</summary>
sealed class ImportVerdict
{
    public required VerdictKind Kind { get; init; }

    /// <summary>How many records Mixpanel says that it took.</summary>
    public long Imported { get; private init; }

    /// <summary>The refused records, by index in the batch, ascending.</summary>
    public IReadOnlyList<FailedRecord> Failed { get; private init; } = [];

    /// <summary>The answer's own <c>status</c>.</summary>
    public string? Status { get; private init; }

    /// <summary>Whether an unclear answer is Mixpanel's own plain refusal, which took nothing.</summary>
    public bool NothingImported { get; private init; }

    /// <summary>Whether the answer has nothing of Mixpanel's, or contradicts itself: it may be another's, such as a proxy's, and what was taken is unknown.</summary>
    public bool IsForeign => Kind is VerdictKind.Ambiguous && !NothingImported;

    /// <summary>Whether an unclear answer refuses the batch for its events that say which ids are one user's.</summary>
    public bool RefusesWhoIsWho { get; private init; }

    public MixpanelError? Error { get; private init; }

    public static ImportVerdict Accepted(int sent, string? status) => new() { Kind = VerdictKind.Accepted, Imported = sent, Status = status };

    public static ImportVerdict Partial(int imported, IReadOnlyList<FailedRecord> failed, string? status, MixpanelError error) =>
        new() { Kind = VerdictKind.Partial, Imported = imported, Failed = failed, Status = status, Error = error };

    public static ImportVerdict Miscounted(long imported, string? status, MixpanelError error) =>
        new() { Kind = VerdictKind.Miscounted, Imported = imported, Status = status, Error = error };

    public static ImportVerdict TooLarge(MixpanelError error) => new() { Kind = VerdictKind.TooLarge, Error = error };

    public static ImportVerdict Unclear(MixpanelError error, bool nothingImported, bool refusesWhoIsWho = false) =>
        new() { Kind = VerdictKind.Ambiguous, NothingImported = nothingImported, RefusesWhoIsWho = refusesWhoIsWho, Error = error };

    public static ImportVerdict Foreign(MixpanelError error) => Unclear(error, nothingImported: false);

    public static ImportVerdict Again(MixpanelError error) => new() { Kind = VerdictKind.Retry, Error = error };

    public static ImportVerdict Untrusted(MixpanelError error) => new() { Kind = VerdictKind.Untrusted, Error = error };

    public static ImportVerdict Fatal(MixpanelError error) => new() { Kind = VerdictKind.Unauthorized, Error = error };
}
