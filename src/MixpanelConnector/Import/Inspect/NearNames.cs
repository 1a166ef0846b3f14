using MixpanelConnector.Import.Columns;

namespace MixpanelConnector.Import.Inspect;

/// <summary>Finds columns under names that other tools use.</summary>
static class NearNames
{
    // Letters and digits only, in lower case, the likeliest first.
    static readonly string[] Events = ["event", "eventname", "eventtype", "action", "eventaction", "activity", "activitytype", "name", "type"];

    static readonly string[] Times =
    [
        "time", "timestamp", "eventtime", "eventtimestamp", "ts", "datetime", "eventdatetime", "occurredat", "happenedat", "createdat", "created",
        "createdtime", "eventdate", "date",
        "unixtime", "epoch", "timestampms", "clienttime", "clienttimestamp", "sentat", "receivedat", "loggedat", "recordedat", "when", "at",
    ];

    static readonly string[] Users =
    [
        "distinctid", "userid", "uid", "customerid", "visitorid", "clientid", "memberid", "personid", "profileid", "accountid", "anonymousid", "deviceid",
        "user", "customer", "username", "useremail", "email", "id",
    ];

    static readonly string[] Groups =
    [
        "groupid", "companyid", "accountid", "organizationid", "organisationid", "orgid", "tenantid", "company", "account", "organization", "organisation",
        "group", "id",
    ];

    /// <summary>The fields that every record of a type needs, by their names in a mapping, with the code for their absence.</summary>
    public static IReadOnlyList<(string Field, string Code)> Needed(ImportType type) => type switch
    {
        ImportType.Profiles => [("distinct_id", "distinct_id_missing")],
        ImportType.Groups => [("group_id", "group_id_missing")],
        _ => [("event", "event_missing"), ("time", "time_missing"), ("distinct_id", "distinct_id_missing")],
    };

    /// <summary>The column that most probably holds a field; null when none is likely.</summary>
    public static SurveyedColumn? Find(string field, IReadOnlyList<SurveyedColumn> columns, ImportRequest request)
    {
        string[] names = field switch
        {
            "event" => Events,
            "time" => Times,
            "group_id" => [RecordFields.Plain(request.GroupKey!), RecordFields.Plain(request.GroupKey!) + "id", .. Groups],
            _ => Users,
        };
        var fitting = columns.Where(column => Fits(field, column)).ToList();
        return names.Select(name => fitting.Find(column => RecordFields.Plain(column.Name) == name)).FirstOrDefault(column => column is not null)
            ?? (field == "time" ? fitting.Find(column => column.IsOneOf(SurveyedColumn.Time)) : null);
    }

    static bool Fits(string field, SurveyedColumn column) => field switch
    {
        "event" => column.IsOneOf(SurveyedColumn.Text),
        "time" => column.IsOneOf(SurveyedColumn.Time, SurveyedColumn.Number, SurveyedColumn.Text),
        _ => column.IsOneOf(SurveyedColumn.Text, SurveyedColumn.Number),
    };
}
