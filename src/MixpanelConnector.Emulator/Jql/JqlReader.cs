using System.Globalization;
using Jint;
using Jint.Native;
using Jint.Native.Json;
using Jint.Native.Object;
using MixpanelConnector.Emulator.Reports;
using MixpanelConnector.Emulator.Selectors;
using MixpanelConnector.Emulator.Store;

namespace MixpanelConnector.Emulator.Jql;

/// <summary>Passes the events, users and pairs of a source to a script one by one, as its objects.</summary>
sealed class JqlReader(Engine engine, ScriptLimits limits, Project project, ReportSource source, ProfileStore profiles)
{
    readonly JsonParser _json = new(engine);

    public void Read(JqlSource from, Action<JsValue> sink)
    {
        switch (from)
        {
            case EventsSource events:
                Read(events, sink);
                break;
            case PeopleSource people:
                foreach (var profile in Taken(people))
                    sink(UserOf(profile));
                break;
            case JoinSource join:
                Read(join, sink);
                break;
        }
    }

    void Read(EventsSource events, Action<JsValue> sink)
    {
        using var cursor = source.InOrder(project, events.RangeIn(project), withProperties: true, [.. events.Selections.Select(selection => selection.Where)]);
        while (cursor.Read())
        {
            foreach (var name in NamesOf(events, cursor))
                sink(EventOf(cursor, name));
        }
    }

    void Read(JoinSource join, Action<JsValue> sink)
    {
        var users = new Dictionary<string, ProfileRow>(StringComparer.Ordinal);
        foreach (var profile in Taken(join.People))
            users.Add(profile.Id, profile);
        var met = new HashSet<string>(StringComparer.Ordinal);
        using (var cursor = source.InOrder(
            project, join.Events.RangeIn(project), withProperties: true,
            [.. join.Events.Selections.Concat(join.Selections).Select(selection => selection.Where)]))
        {
            while (cursor.Read())
            {
                foreach (var name in NamesOf(join.Events, cursor))
                {
                    var hasUser = users.TryGetValue(cursor.DistinctId, out var user);
                    if (hasUser) met.Add(cursor.DistinctId);
                    else if (!join.AllEvents) continue;
                    if (join.Selections.Count == 0 || join.Selections.Any(selection => Takes(selection, cursor)))
                        sink(PairOf(cursor.DistinctId, EventOf(cursor, name), hasUser ? UserOf(user) : JsValue.Undefined));
                }
            }
        }
        if (!join.AllUsers) return;
        var expressions = join.Selections.Where(selection => selection.Event is null).Select(selection => selection.Where).ToList();
        var record = new UserRecord([.. expressions.OfType<Selector>()], ofUserAlone: true);
        foreach (var user in users.Values.Where(user => !met.Contains(user.Id)))
        {
            record.Load(user);
            if (join.Selections.Count == 0 || expressions.Exists(where => where is null || Where.Evaluate(where, record, Context, "selector").IsTrue))
                sink(PairOf(user.Id, JsValue.Undefined, UserOf(user)));
        }
    }

    /// <summary>The names of an event: its own, or the label of each selection that matches it; empty if none does.</summary>
    static IEnumerable<string> NamesOf(EventsSource events, EventCursor cursor) =>
        events.Selections.Count == 0
            ? [cursor.Name]
            : events.Selections.Where(selection => Takes(selection, cursor))
                .Select(selection => selection.Label ?? cursor.Name)
                .Distinct(StringComparer.Ordinal);

    static bool Takes(EventSelection selection, EventCursor cursor) =>
        (selection.Event is null || selection.Event == cursor.Name) && cursor.Holds(selection.Where);

    IEnumerable<ProfileRow> Taken(PeopleSource people)
    {
        var record = new UserRecord(people.Selectors, ofUserAlone: false);
        foreach (var profile in profiles.Read(new ProfileKind(project.Id, "")))
        {
            limits.Spend(1);
            record.Load(profile);
            if (people.Selectors.Count == 0 || people.Selectors.Any(selector => Where.Evaluate(selector, record, Context, "selector").IsTrue))
                yield return profile;
        }
    }

    SelectorContext Context => new(source.Now, project.Calendar.Zone, QueryBudget.Current);

    JsObject EventOf(EventCursor cursor, string name)
    {
        var properties = Parsed(cursor.Properties);
        properties.Delete("time");
        properties.Delete("distinct_id");
        var made = new JsObject(engine);
        made.Set("name", name);
        made.Set("distinct_id", cursor.DistinctId == "" ? JsValue.Undefined : cursor.DistinctId);
        made.Set("time", LocalTime(cursor.Time));
        made.Set("sampling_factor", 1);
        made.Set("properties", properties);
        return made;
    }

    JsObject UserOf(ProfileRow profile)
    {
        var properties = Parsed(profile.Properties);
        var made = new JsObject(engine);
        made.Set("distinct_id", profile.Id);
        if (properties.Get("$last_seen") is JsString seen
            && DateTimeOffset.TryParse(seen.ToString(), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var moment))
        {
            made.Set("time", LocalTime(moment));
            made.Set("last_seen", LocalTime(moment));
        }
        made.Set("properties", properties);
        return made;
    }

    JsObject PairOf(string distinctId, JsValue eventOf, JsValue user)
    {
        var made = new JsObject(engine);
        made.Set("distinct_id", distinctId == "" ? JsValue.Undefined : distinctId);
        made.Set("event", eventOf);
        made.Set("user", user);
        return made;
    }

    ObjectInstance Parsed(string properties) => (ObjectInstance)_json.Parse(properties);

    /// <summary>The local time in the project's time zone as milliseconds since 1970, as JQL represents it.</summary>
    double LocalTime(DateTimeOffset moment) => (project.Calendar.LocalTime(moment) - DateTime.UnixEpoch).TotalMilliseconds;

    /// <summary>A user, for expressions: <c>properties</c> is the same as <c>user</c> if there can be no event.</summary>
    sealed class UserRecord(IReadOnlyList<Selector> selectors, bool ofUserAlone) : ISelectorRecord
    {
        readonly JsonSelectorRecord _properties = new(
            [.. selectors.SelectMany(selector => selector.Properties).Select(property => new PropertyReference(PropertyRoot.User, property.Name)).Distinct()],
            PropertyRoot.User);
        string _id = "";

        public void Load(ProfileRow profile)
        {
            if (selectors.Count == 0) return;
            _id = profile.Id;
            _properties.Load(profile.Properties);
        }

        public SelectorValue Get(PropertyRoot root, string name) =>
            root is not (PropertyRoot.User or PropertyRoot.Properties) || (ofUserAlone && root == PropertyRoot.Properties) ? SelectorValue.Undefined
            : name is "$distinct_id" or "distinct_id" ? SelectorValue.FromText(_id)
            : _properties.Get(PropertyRoot.User, name);
    }
}
