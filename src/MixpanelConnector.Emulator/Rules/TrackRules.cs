namespace MixpanelConnector.Emulator.Rules;

/// <summary>How <c>/track</c> validates an event: it requires little, and drops much silently.</summary>
static class TrackRules
{
    /// <summary>Why the event is not well formed, if it is not.</summary>
    /// <param name="fields">The event.</param>
    /// <param name="strict">Whether unknown members are rejected.</param>
    public static Fault? Check(in EventFields fields, bool strict)
    {
        if (fields.ShapeFault is not null) return fields.ShapeFault;
        if (strict && fields.ExtraMember is not null) return fields.ExtraMember;
        if (fields.Name.Kind is not (FieldKind.Text or FieldKind.Missing))
            return new Fault("event", $"'event' is invalid: must be text, and is {fields.Name.Kind.Shown()}");
        if (fields.Name.Kind != FieldKind.Text || string.IsNullOrWhiteSpace(fields.Name.Text))
            return new Fault("event", "'event' must not be missing or blank");
        if (!fields.HasProperties) return new Fault("properties", "'properties' is invalid: must not be missing");
        if (fields.Token.Kind is not (FieldKind.Text or FieldKind.Missing))
            return new Fault("properties.token", $"'properties.token' is invalid: must be text, and is {fields.Token.Kind.Shown()}");
        if (fields.Token.Kind != FieldKind.Text || fields.Token.Text == "") return new Fault("properties.token", "token, missing or empty");
        return null;
    }

    /// <summary>The time of a well-formed event; null if it is not stored, for a reason that its sender does not learn.</summary>
    public static EventTime? TimeToStore(in EventFields fields, DateTimeOffset now, out Fault? reason)
    {
        reason = WhyDropped(fields);
        if (reason is not null) return null;
        if (fields.Time.Kind == FieldKind.Missing) return EventTime.Now(now, sent: 0);
        if (fields.Time.Kind is FieldKind.Other or FieldKind.TextNotUtf8)
        {
            reason = new Fault("properties.time", $"not a time: must be a number or text, and is {fields.Time.Kind.Shown()}");
            return null;
        }
        var moment = fields.Time.Kind == FieldKind.Integer ? EventTime.Read(fields.Time.Integer) : EventTime.Read(fields.Time.Text);
        if (moment is null || now - moment > EventLimits.TrackWindow)
        {
            reason = new Fault("properties.time", moment is null ? "not a time" : "older than five days: older events go through /import");
            return null;
        }
        return moment > now ? EventTime.Now(now, fields.Time.Integer) : new EventTime(moment.Value, null);
    }

    static Fault? WhyDropped(in EventFields fields)
    {
        if (fields.End - fields.Start >= EventLimits.EventBytes) return new Fault("", $"at most {EventLimits.EventBytes} bytes are stored");
        if (fields.PropertyCount > EventLimits.Properties) return new Fault("properties", $"at most {EventLimits.Properties} properties are stored");
        if (fields.Ignored) return new Fault("properties.$ignore", "asked to be ignored");
        if (fields.PropertyFault is not null) return fields.PropertyFault;
        return BrokenId("distinct_id", fields.DistinctId) ?? BrokenId("$insert_id", fields.InsertId) ?? BrokenId("$user_id", fields.UserId)
            ?? BrokenId("$device_id", fields.DeviceId);
    }

    static Fault? BrokenId(string name, in Field field) =>
        field.Kind is FieldKind.TextNotUtf8 or FieldKind.Other
            ? new Fault($"properties.{name}", $"must be text or a number, and is {field.Kind.Shown()}")
            : null;
}
