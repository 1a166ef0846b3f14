namespace MixpanelConnector.Emulator.Rules;

/// <summary>What <c>/track</c> makes of an event: little is demanded, and much is dropped without a word.</summary>
static class TrackRules
{
    /// <summary>Why the event is not well formed, if it is not.</summary>
    public static Fault? Check(in EventFields fields)
    {
        if (fields.ShapeFault is not null)
            return fields.ShapeFault;
        if (fields.Name.Kind != FieldKind.Text || string.IsNullOrWhiteSpace(fields.Name.Text))
            return new Fault("event", "'event' must not be missing or blank");
        if (!fields.HasProperties)
            return new Fault("properties", "'properties' is invalid: must not be missing");
        if (fields.Token.Kind != FieldKind.Text || fields.Token.Text == "")
            return new Fault("properties.token", "token, missing or empty");
        return null;
    }

    /// <summary>When a well-formed event happened; null when it is not to be stored, which its sender is not told.</summary>
    public static EventTime? TimeToStore(in EventFields fields, DateTimeOffset now)
    {
        var isTooLarge = fields.End - fields.Start >= EventLimits.EventBytes || fields.PropertyCount > EventLimits.Properties;
        var isBroken = fields.PropertyFault is not null || IsBroken(fields.DistinctId) || IsBroken(fields.InsertId)
            || IsBroken(fields.UserId) || IsBroken(fields.DeviceId);
        if (isTooLarge || isBroken || fields.Ignored)
            return null;
        if (fields.Time.Kind == FieldKind.Missing)
            return EventTime.Now(now, sent: 0);
        var moment = fields.Time.Kind == FieldKind.Integer ? EventTime.Read(fields.Time.Integer) : EventTime.Read(fields.Time.Text);
        if (moment is null || now - moment > EventLimits.TrackWindow)
            return null;
        return moment > now ? EventTime.Now(now, fields.Time.Integer) : new EventTime(moment.Value, null);
    }

    static bool IsBroken(in Field field) => field.Kind is FieldKind.TextNotUtf8 or FieldKind.Other;
}
