using System.Buffers;

namespace MixpanelConnector.Emulator.Rules;

/// <summary>
/// The requirements of <c>/import</c> on an event. The first violated rule is reported, in this order: structure, size, event, properties, time, distinct_id,
/// $insert_id, then the other properties in the order of the event.
/// </summary>
sealed class ImportRules(DateTimeOffset now, IdentityManagement identity, bool strict)
{
    static readonly SearchValues<char> InsertIdCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-");

    /// <summary>Returns the rule that the event violates, if any, and its time.</summary>
    public Fault? Check(in EventFields fields, out EventTime time)
    {
        time = EventTime.Now(now, fields.Time.Integer); // identity events get the time of receipt
        if ((fields.ShapeFault ?? fields.ExtraMember) is { } shape) return shape;
        if (fields.End - fields.Start >= EventLimits.EventBytes) return new Fault("", $"event is invalid: must be smaller than {EventLimits.EventBytes} bytes");
        if (fields.Name.Kind == FieldKind.TextNotUtf8) return NotUtf8("event");
        if (fields.Name.Kind != FieldKind.Text || string.IsNullOrWhiteSpace(fields.Name.Text))
            return new Fault("event", "'event' must not be missing or blank");
        if (!fields.HasProperties) return Invalid("properties", "must not be missing");
        if (fields.PropertyCount > EventLimits.Properties) return Invalid("properties", $"must have at most {EventLimits.Properties} properties");
        if (IdentityRules.IsIdentityEvent(fields)) return fields.PropertyFault;
        return CheckTime(fields.Time, out time) ?? CheckDistinctId(fields) ?? CheckInsertId(fields.InsertId) ?? CheckUserAndDevice(fields)
            ?? fields.PropertyFault;
    }

    static Fault Invalid(string field, string rule) => new(field, $"'{field}' is invalid: {rule}");

    static Fault NotUtf8(string field) => new(field, $"{field} is invalid: string should be valid utf8");

    Fault? CheckTime(in Field sent, out EventTime time)
    {
        const string Name = "properties.time";
        time = default;
        if (sent.Kind == FieldKind.Missing) return Invalid(Name, "must not be missing");
        if (sent.Kind != FieldKind.Integer || EventTime.Read(sent.Integer) is not { } moment) return Invalid(Name, "must be specified as seconds since epoch");
        if (moment < EventLimits.EarliestTime) return Invalid(Name, "must not be before 1971-01-01");
        if (moment - now > EventLimits.FutureTolerance) return Invalid(Name, "must not be in the future");
        time = moment > now ? EventTime.Now(now, sent.Integer) : new EventTime(moment, null);
        return null;
    }

    Fault? CheckDistinctId(in EventFields fields)
    {
        const string Name = "properties.distinct_id";
        var id = fields.DistinctId;
        switch (id.Kind)
        {
            case FieldKind.Missing when !strict || (identity == IdentityManagement.Simplified && DistinctIds.Derive(fields) is not null):
                return null;
            case FieldKind.Missing:
                return Invalid(Name, "must not be missing");
            case FieldKind.TextNotUtf8:
                return NotUtf8(Name);
            case not FieldKind.Text:
                return Invalid(Name, "must be a string");
        }
        if (id.Text.Length > EventLimits.Characters && id.Text.EnumerateRunes().Count() > EventLimits.Characters)
            return Invalid(Name, $"must be at most {EventLimits.Characters} characters");
        return ForbiddenIds.Contain(id.Text) ? Invalid(Name, "value is not allowed") : null;
    }

    Fault? CheckInsertId(in Field id)
    {
        const string Name = "$insert_id";
        switch (id.Kind)
        {
            case FieldKind.Missing when !strict:
                return null;
            case FieldKind.Missing:
                return Invalid(Name, "must not be missing");
            case FieldKind.TextNotUtf8:
                return NotUtf8(Name);
            case not FieldKind.Text:
                return Invalid(Name, "must be a string");
        }
        if (id.Text == "") return Invalid(Name, "must not be empty");
        if (id.Text.AsSpan().ContainsAnyExcept(InsertIdCharacters)) return Invalid(Name, "must only contain alphanumeric or hyphen '-' characters");
        if (id.Text.Length > EventLimits.InsertIdBytes) // all characters are ASCII at this point
            return Invalid(Name, $"must be at most {EventLimits.InsertIdBytes} bytes");
        return ForbiddenIds.Contain(id.Text) ? Invalid(Name, "value is not allowed") : null;
    }

    static Fault? CheckUserAndDevice(in EventFields fields) =>
        fields.UserId.Kind == FieldKind.TextNotUtf8 ? NotUtf8("properties.$user_id")
        : fields.DeviceId.Kind == FieldKind.TextNotUtf8 ? NotUtf8("properties.$device_id")
        : null;
}
