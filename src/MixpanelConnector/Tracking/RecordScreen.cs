using System.IO.Hashing;
using System.Text;

namespace MixpanelConnector.Tracking;

/// <summary>
/// What a record passes between being taken and being kept, where the application asked for it: whether its person wants to be
/// tracked, whether it is in the sample, what <see cref="TrackerOptions.BeforeSend"/> makes of it, and last the redaction. It comes
/// before buffers and the outbox, so that nothing of what is taken out is ever on a disk.
/// </summary>
sealed class RecordScreen
{
    public const string OptedOut = "opted_out", Sampled = "sampled", BeforeSend = "before_send";

    // Code of the application's that tracks within itself would end the process, as soon as the stack does.
    const int DeepestCalls = 3;

    static readonly string[] NeverSampled = ["$identify", "$create_alias", "$merge", "$experiment_started"];

    [ThreadStatic]
    static int _calls;

    readonly TrackerOptions _tracking;
    readonly bool _hasToken;
    readonly Redactor? _redactor;

    RecordScreen(TrackerOptions tracking, Redactor? redactor) =>
        (_tracking, _redactor, _hasToken) = (tracking, redactor, tracking.EventsTo is EventEndpoint.Track);

    /// <summary>Null where nothing was asked for.</summary>
    public static RecordScreen? Of(TrackerOptions tracking)
    {
        var redactor = tracking.Redaction is { IsEmpty: false } redaction ? new Redactor(redaction) : null;
        return tracking is { IsOptedOut: null, SampleRates.Count: 0, BeforeSend.Count: 0 } && redactor is null ? null : new(tracking, redactor);
    }

    /// <exception cref="MixpanelException">A rate cannot be one.</exception>
    public static void Validate(IReadOnlyDictionary<string, double> sampleRates)
    {
        foreach (var (name, rate) in sampleRates)
        {
            if (!(rate is >= 0 and <= 1)) throw MixpanelException.Invalid("sample_rates", $"The sample rate of '{name}' must be from 0 to 1.");
            if (NeverSampled.Contains(name, StringComparer.Ordinal)) throw MixpanelException.Invalid("sample_rates", $"{name} is always sent: without it, Mixpanel would not know who a person is, or what a person has seen.");
        }
    }

    /// <summary>Whether the properties of a record are ids that are to be one person's.</summary>
    public static bool JoinsIds(TrackedKind kind, string name) => kind is TrackedKind.Event && name is "$identify" or "$create_alias" or "$merge";

    /// <summary>Whether a record is not taken of a person who does not want to be tracked. Deleting a profile is what that person wants.</summary>
    public static bool MindsOptOut(in TrackedRecord record) => record.Kind is TrackedKind.Event || (record.Kind is TrackedKind.Profile && record.Name != "$delete");

    /// <summary>Makes of what was written what is sent.</summary>
    /// <returns>Why the record is left out; null when it goes on.</returns>
    /// <exception cref="RecordScreenException">The application's code failed. The record must not go on.</exception>
    public string? Pass(RecordWriter writer, in TrackedRecord record, string? token)
    {
        if (LeavesOut(writer, in record) is { } reason) return reason;
        var passed = record;
        if (_tracking.BeforeSend.Count > 0 && !Change(writer, ref passed, token, CallHooks)) return BeforeSend;
        // What it takes out is looked for in what is sent, and not in what the code before it made that of.
        return _redactor is { } redactor && !Change(writer, ref passed, token, redactor.Redact) ? BeforeSend : null;
    }

    /// <summary>The same for a record as a test sees it, which has nothing of what a tracker adds.</summary>
    /// <exception cref="RecordScreenException">The application's code failed.</exception>
    public string? Pass(OutgoingRecord record)
    {
        var had = record.Properties.Count;
        if (_tracking.BeforeSend.Count > 0 && !CallHooks(record)) return BeforeSend;
        if (_redactor is not null)
        {
            record.Parse();
            _redactor.Redact(record);
        }

        return IsLeft(record, had) ? null : BeforeSend;
    }

    /// <summary>Why a record is left out as it was given; null when it is not.</summary>
    /// <exception cref="RecordScreenException">The application's code failed.</exception>
    public string? LeavesOut(RecordWriter writer, in TrackedRecord record)
    {
        var written = writer.Written;
        var user = writer.HasOwnIds ? WrittenIds.UserOf(written, record.User) : record.User;
        if (_tracking.IsOptedOut is not null && MindsOptOut(in record))
        {
            if (IsOptedOut(user)) return OptedOut;
            if (JoinsIds(record.Kind, record.Name) && WrittenIds.Joined(written).Exists(id => IsOptedOut(MixpanelUser.FromDistinctId(id)))) return OptedOut;
        }

        return record.Kind is TrackedKind.Event && _tracking.SampleRates.TryGetValue(record.Name, out var rate) && !IsIn(rate, SampleKey(user) is { Length: > 0 } key ? key : WrittenIds.InsertId(written)) ? Sampled : null;
    }

    bool IsOptedOut(MixpanelUser user) => user.DistinctId.Length > 0 && Ask("opt_out_failed", "IsOptedOut", () => _tracking.IsOptedOut!(user));

    /// <summary>The device comes first: it is the same before and after the sign-in.</summary>
    string SampleKey(MixpanelUser user) =>
        _tracking.SampleBy is { } by && Ask("sample_failed", "SampleBy", () => by(user)) is { Length: > 0 } key ? key
        : user.DeviceId ?? (user.DistinctId.StartsWith("$device:", StringComparison.Ordinal) ? user.DistinctId["$device:".Length..] : user.DistinctId);

    /// <summary>Who is in at one rate is in at every higher one, for all events: the hash knows nothing else.</summary>
    static bool IsIn(double rate, string key) => (XxHash3.HashToUInt64(Encoding.UTF8.GetBytes(key)) >> 11) * (1.0 / (1L << 53)) < rate;

    bool CallHooks(OutgoingRecord record)
    {
        foreach (var hook in _tracking.BeforeSend)
            if (!Ask("before_send_failed", "BeforeSend", () => hook(record))) return false;
        return record.Misplaced is not { } name ? true : throw new RecordScreenException("before_send_failed", $"BeforeSend put {name} among the properties, where it would be beside the event's own. Change the User for ids; the time and $insert_id stay.");
    }

    bool Change(RecordWriter writer, ref TrackedRecord record, string? token, Action<OutgoingRecord> change) => Change(writer, ref record, token, outgoing =>
    {
        change(outgoing);
        return true;
    });

    /// <returns>Whether something is left.</returns>
    bool Change(RecordWriter writer, ref TrackedRecord record, string? token, Func<OutgoingRecord, bool> change)
    {
        var outgoing = OutgoingRecord.Of(in record, writer.Written, _hasToken);
        var had = outgoing.Properties.Count;
        if (!change(outgoing) || !IsLeft(outgoing, had)) return false;
        record = outgoing.Changed(in record);
        if (record.Kind is TrackedKind.Event) writer.WriteEvent(outgoing);
        else writer.WriteUpdate(in record, token!);
        return true;
    }

    /// <summary>An update of nothing would only say that the person was seen.</summary>
    static bool IsLeft(OutgoingRecord record, int had) => record.Kind is TrackedKind.Event || had == 0 || record.Properties.Count > 0;

    /// <summary>Calls code of the application's, within whose record nothing else goes on.</summary>
    static T Ask<T>(string code, string what, Func<T> ask)
    {
        if (_calls == DeepestCalls) throw new RecordScreenException(code, $"{what} tracks what it is called for again.");
        _calls++;
        try
        {
            return ask();
        }
        catch (Exception e)
        {
            throw new RecordScreenException(code, $"{what} threw {e.GetType().Name}."); // its words may hold a value
        }
        finally
        {
            _calls--;
        }
    }
}

/// <summary>Code of the application's that decides on a record failed. The message holds nothing of the record.</summary>
sealed class RecordScreenException(string code, string message) : Exception(message)
{
    /// <summary>A stable name of the reason.</summary>
    public string Code { get; } = code;
}
