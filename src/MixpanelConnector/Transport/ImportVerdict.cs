namespace MixpanelConnector.Transport;

enum VerdictKind
{
    /// <summary>Every record is accepted.</summary>
    Accepted,

    /// <summary>The listed records are refused, all others are accepted.</summary>
    Partial,

    /// <summary>Nothing is accepted: send smaller batches.</summary>
    TooLarge,

    /// <summary>The batch was refused without a known outcome for each record: split it and send again.</summary>
    Ambiguous,

    /// <summary>A success whose count differs from the number of records sent.</summary>
    Miscounted,

    /// <summary>No answer, or one that asks to retry later: send the same bytes again.</summary>
    Retry,

    /// <summary>An answer that cannot be trusted to be Mixpanel's.</summary>
    Untrusted,

    /// <summary>The credentials or the project are refused: nothing will succeed.</summary>
    Unauthorized,
}

/// <summary>What an answer means for a batch of records.</summary>
sealed class ImportVerdict
{
    public required VerdictKind Kind { get; init; }

    /// <summary>The number of records that Mixpanel reports as accepted.</summary>
    public long Imported { get; private init; }

    /// <summary>The refused records, by index in the batch, ascending.</summary>
    public IReadOnlyList<FailedRecord> Failed { get; private init; } = [];

    /// <summary>The answer's own <c>status</c>.</summary>
    public string? Status { get; private init; }

    /// <summary>Whether an ambiguous answer is a plain refusal by Mixpanel itself, so that nothing was accepted.</summary>
    public bool NothingImported { get; private init; }

    /// <summary>
    /// Whether the answer is not in Mixpanel's format, or contradicts itself: it may be from another server, such as a proxy, and it is unknown what was
    /// accepted.
    /// </summary>
    public bool IsForeign => Kind is VerdictKind.Ambiguous && !NothingImported;

    /// <summary>Whether an ambiguous answer refuses the batch because of its events that link a user's ids.</summary>
    public bool RefusesWhoIsWho { get; private init; }

    public MixpanelError? Error { get; private init; }

    public static ImportVerdict Accepted(int sent, string? status) => new() { Kind = VerdictKind.Accepted, Imported = sent, Status = status };

    public static ImportVerdict Partial(int imported, IReadOnlyList<FailedRecord> failed, string? status, MixpanelError error) =>
        new() { Kind = VerdictKind.Partial, Imported = imported, Failed = failed, Status = status, Error = error };

    public static ImportVerdict Miscounted(long imported, string? status, MixpanelError error) =>
        new() { Kind = VerdictKind.Miscounted, Imported = imported, Status = status, Error = error };

    public static ImportVerdict TooLarge(MixpanelError error) => new() { Kind = VerdictKind.TooLarge, Error = error };

    public static ImportVerdict Ambiguous(MixpanelError error, bool nothingImported, bool refusesWhoIsWho = false) =>
        new() { Kind = VerdictKind.Ambiguous, NothingImported = nothingImported, RefusesWhoIsWho = refusesWhoIsWho, Error = error };

    public static ImportVerdict Foreign(MixpanelError error) => Ambiguous(error, nothingImported: false);

    public static ImportVerdict Retry(MixpanelError error) => new() { Kind = VerdictKind.Retry, Error = error };

    public static ImportVerdict Untrusted(MixpanelError error) => new() { Kind = VerdictKind.Untrusted, Error = error };

    public static ImportVerdict Unauthorized(MixpanelError error) => new() { Kind = VerdictKind.Unauthorized, Error = error };
}
