using System.IO.Hashing;
using System.Text;
using MixpanelConnector.Tracking.Records;

namespace MixpanelConnector.Tracking.Screening;

/// <summary>
/// The application's checks of a record before it is stored: whether the person wants to be tracked, whether it is in the sample, the changes of
/// <see cref="TrackerOptions.BeforeSend"/>, and last the redaction. They run before buffers and the outbox, so that nothing that is redacted is
/// ever written to a disk.
/// </summary>
/// <param name="beforeSend">The changes.</param>
/// <param name="sampleRates">The share of people by event name.</param>
/// <param name="sampleBy">Returns the key that decides whether a person is in the sample.</param>
/// <param name="isOptedOut">Returns whether a person does not want to be tracked.</param>
/// <param name="redaction">The redaction.</param>
/// <param name="hasToken">Whether events carry the project's token.</param>
sealed class RecordScreen(IReadOnlyList<Func<OutgoingRecord, bool>> beforeSend, IReadOnlyDictionary<string, double> sampleRates,
    Func<MixpanelUser, string?>? sampleBy, Func<MixpanelUser, bool>? isOptedOut, Redaction? redaction, bool hasToken)
{
    public const string OptedOut = "opted_out", Sampled = "sampled", BeforeSend = "before_send";

    // Application code that tracks from within its own callback would overflow the stack and end the process.
    const int DeepestCalls = 3;

    static readonly string[] NeverSampled = ["$identify", "$create_alias", "$merge", "$experiment_started"];

    [ThreadStatic]
    static int _calls;

    readonly Redactor? _redactor = redaction is { IsEmpty: false } ? new(redaction) : null;

    /// <exception cref="MixpanelException">A rate is invalid.</exception>
    public static void Validate(IReadOnlyDictionary<string, double> sampleRates)
    {
        foreach (var (name, rate) in sampleRates)
        {
            if (!(rate is >= 0 and <= 1)) throw MixpanelException.Invalid("sample_rates", $"The sample rate of '{name}' must be from 0 to 1.");
            if (NeverSampled.Contains(name, StringComparer.Ordinal))
                throw MixpanelException.Invalid("sample_rates",
                    $"{name} is always sent: without it, Mixpanel would not know who a user is, or what a user has seen.");
        }
    }

    /// <summary>Whether the properties of a record are ids that are to be merged.</summary>
    public static bool JoinsIds(TrackedKind kind, string name) => kind is TrackedKind.Event && name is "$identify" or "$create_alias" or "$merge";

    /// <summary>Whether a record is left out for a person who does not want to be tracked. Deleting the profile is what such a person wants.</summary>
    public static bool MindsOptOut(in TrackedRecord record) =>
        record.Kind is TrackedKind.Event || (record.Kind is TrackedKind.Profile && record.Name != "$delete");

    /// <summary>Turns the written record into the record to send.</summary>
    /// <returns>Why the record is left out; null when it is sent.</returns>
    /// <exception cref="RecordScreenException">The application's code failed. The record must not be sent.</exception>
    public string? Pass(RecordWriter writer, in TrackedRecord record, string? token)
    {
        if (LeavesOut(writer, in record) is { } reason) return reason;
        var passed = record;
        if (beforeSend.Count > 0 && !Change(writer, ref passed, token, CallHooks)) return BeforeSend;
        // Redaction searches the JSON to be sent, not the objects that the earlier callbacks created.
        return _redactor is { } redactor && !Change(writer, ref passed, token, redactor.Redact) ? BeforeSend : null;
    }

    /// <summary>Does the same for a record as a test sees it, without the tracker's additions.</summary>
    /// <exception cref="RecordScreenException">The application's code failed.</exception>
    public string? Pass(OutgoingRecord record)
    {
        var had = record.Properties.Count;
        if (beforeSend.Count > 0 && !CallHooks(record)) return BeforeSend;
        if (_redactor is not null)
        {
            record.Parse();
            _redactor.Redact(record);
        }

        return IsLeft(record, had) ? null : BeforeSend;
    }

    /// <summary>Returns why a record is left out before any change; null when it is not.</summary>
    /// <exception cref="RecordScreenException">The application's code failed.</exception>
    public string? LeavesOut(RecordWriter writer, in TrackedRecord record)
    {
        var written = writer.Written;
        var user = writer.HasOwnIds ? WrittenIds.UserOf(written, record.User) : record.User;
        if (isOptedOut is not null && MindsOptOut(in record))
        {
            if (IsOptedOut(user)) return OptedOut;
            // Which of its ids counts depends on how the project merges identities.
            if (writer.HasOwnIds && WrittenIds.DistinctId(written) is var other && other != user.DistinctId && IsOptedOut(MixpanelUser.FromDistinctId(other)))
                return OptedOut;
            if (JoinsIds(record.Kind, record.Name) && WrittenIds.Joined(written).Exists(id => IsOptedOut(MixpanelUser.FromDistinctId(id)))) return OptedOut;
        }

        return record.Kind is TrackedKind.Event && sampleRates.TryGetValue(record.Name, out var rate)
            && !IsIn(rate, SampleKey(user) is { Length: > 0 } key ? key : WrittenIds.InsertId(written))
            ? Sampled
            : null;
    }

    bool IsOptedOut(MixpanelUser user) => user.DistinctId.Length > 0 && Ask("opt_out_failed", "IsOptedOut", () => isOptedOut!(user));

    /// <summary>Prefers the device id: it is the same before and after the sign-in.</summary>
    string SampleKey(MixpanelUser user) =>
        sampleBy is { } by && Ask("sample_failed", "SampleBy", () => by(user)) is { Length: > 0 } key ? key
        : user.DeviceId ?? (user.DistinctId.StartsWith("$device:", StringComparison.Ordinal) ? user.DistinctId["$device:".Length..] : user.DistinctId);

    /// <summary>A key that is in the sample at one rate is in it at every higher rate, for all events: the hash uses nothing else.</summary>
    static bool IsIn(double rate, string key) => (XxHash3.HashToUInt64(Encoding.UTF8.GetBytes(key)) >> 11) * (1.0 / (1L << 53)) < rate;

    bool CallHooks(OutgoingRecord record)
    {
        foreach (var hook in beforeSend)
            if (!Ask("before_send_failed", "BeforeSend", () => hook(record))) return false;
        return record.Misplaced is not { } name
            ? true
            : throw new RecordScreenException("before_send_failed",
                $"BeforeSend added the property {name}, which would duplicate the event's own. To change ids, set User; "
                + $"the time and $insert_id cannot be changed.");
    }

    bool Change(RecordWriter writer, ref TrackedRecord record, string? token, Action<OutgoingRecord> change) => Change(writer, ref record, token, outgoing =>
    {
        change(outgoing);
        return true;
    });

    /// <returns>Whether something is left.</returns>
    bool Change(RecordWriter writer, ref TrackedRecord record, string? token, Func<OutgoingRecord, bool> change)
    {
        var outgoing = OutgoingRecord.Of(in record, writer.Written, hasToken);
        var had = outgoing.Properties.Count;
        if (!change(outgoing) || !IsLeft(outgoing, had)) return false;
        record = outgoing.Changed(in record);
        if (record.Kind is TrackedKind.Event) writer.WriteEvent(outgoing);
        else writer.WriteUpdate(in record, token!);
        return true;
    }

    /// <summary>An update without properties would only record that the person was seen.</summary>
    static bool IsLeft(OutgoingRecord record, int had) => record.Kind is TrackedKind.Event || had == 0 || record.Properties.Count > 0;

    /// <summary>Calls application code. Nothing else proceeds for the record meanwhile.</summary>
    static T Ask<T>(string code, string what, Func<T> ask)
    {
        if (_calls == DeepestCalls) throw new RecordScreenException(code, $"{what} calls the tracker recursively.");
        _calls++;
        try
        {
            return ask();
        }
        catch (Exception e)
        {
            throw new RecordScreenException(code, $"{what} threw {e.GetType().Name}."); // its message may contain a value
        }
        finally
        {
            _calls--;
        }
    }
}

/// <summary>Application code that decides on a record failed. The message contains nothing of the record.</summary>
sealed class RecordScreenException(string code, string message) : Exception(message)
{
    /// <summary>A stable name for the reason.</summary>
    public string Code { get; } = code;
}
