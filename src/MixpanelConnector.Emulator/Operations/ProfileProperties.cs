using System.Collections.Frozen;
using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using MixpanelConnector.Emulator.Http;
using MixpanelConnector.Emulator.Reports;
using MixpanelConnector.Emulator.Store;

namespace MixpanelConnector.Emulator.Operations;

/// <summary>
/// The paths below <c>/api/query/engage</c>, which are no longer documented: the properties of profiles, and the revenue in their <c>$transactions</c>.
/// </summary>
sealed class ProfileProperties(ProfileStore profiles, QuerySessions sessions, TimeProvider time)
{
    const int LongestRange = 3660;

    /// <summary>The properties with their most frequent type, and the number of profiles that have them.</summary>
    public async Task ListAsync(HttpContext context, QueryFields fields, Project project)
    {
        var limit = fields.Integer("limit", otherwise: int.MaxValue, least: 1, most: int.MaxValue);
        var counts = new Dictionary<string, Dictionary<string, int>>(StringComparer.Ordinal);
        foreach (var profile in profiles.Read(new ProfileKind(project.Id, "")))
        {
            using var properties = JsonDocument.Parse(profile.Properties);
            foreach (var property in properties.RootElement.EnumerateObject())
            {
                if (!counts.TryGetValue(property.Name, out var types)) counts.Add(property.Name, types = new(StringComparer.Ordinal));
                var type = TypeOf(property.Value);
                types[type] = types.GetValueOrDefault(type) + 1;
            }
        }
        var session = await OpenSessionAsync(project, context).ConfigureAwait(false);
        await context.Response.JsonAsync(200, json =>
        {
            json.WriteStartObject();
            json.WriteStartObject("results");
            foreach (var (name, types) in counts.OrderByDescending(property => property.Value.Values.Sum())
                .ThenBy(property => property.Key, StringComparer.Ordinal)
                .Take(limit))
            {
                json.WriteStartObject(name);
                json.WriteNumber("count", types.Values.Sum());
                json.WriteString("type", types.OrderByDescending(type => type.Value).ThenBy(type => type.Key, StringComparer.Ordinal).First().Key);
                json.WriteEndObject();
            }
            json.WriteEndObject();
            json.WriteString("session_id", session);
            json.WriteString("status", "ok");
            json.WriteComputedAt(time.GetUtcNow());
            json.WriteEndObject();
        }).ConfigureAwait(false);
    }

    /// <summary>For each day and in total: the amount paid, the number of users, and the number of paying users.</summary>
    public async Task RevenueAsync(HttpContext context, QueryFields fields, Project project)
    {
        var (from, to) = fields.Dates();
        fields.Choice("unit", TimeUnit.Day, TimeUnit.Day);
        if (to.DayNumber - from.DayNumber > LongestRange) throw new RefusedException(400, $"invalid to_date: a range has at most {LongestRange} days");
        var days = Enumerable.Range(0, to.DayNumber - from.DayNumber + 1).ToDictionary(i => from.AddDays(i), _ => new Revenue());
        var (all, users) = (new Revenue(), 0);
        foreach (var profile in profiles.Read(new ProfileKind(project.Id, "")))
        {
            users++;
            using var properties = JsonDocument.Parse(profile.Properties);
            if (!properties.RootElement.TryGetProperty("$transactions", out var transactions) || transactions.ValueKind != JsonValueKind.Array) continue;
            foreach (var transaction in transactions.EnumerateArray())
            {
                if (DayOf(transaction) is not { } day || !days.TryGetValue(day, out var revenue) || !transaction.TryGetProperty("$amount", out var amount)
                    || !amount.TryGetDouble(out var paid))
                    continue;
                revenue.Add(profile.Id, paid);
                all.Add(profile.Id, paid);
            }
        }
        var session = await OpenSessionAsync(project, context).ConfigureAwait(false);
        await context.Response.JsonAsync(200, json =>
        {
            json.WriteStartObject();
            json.WriteComputedAt(time.GetUtcNow());
            json.WriteStartObject("results");
            Write("$overall", all);
            foreach (var (day, revenue) in days)
                Write(day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture), revenue);
            json.WriteEndObject();
            json.WriteString("session_id", session);
            json.WriteString("status", "ok");
            json.WriteEndObject();

            void Write(string name, Revenue revenue)
            {
                json.WriteStartObject(name);
                json.WriteNumber("amount", revenue.Amount);
                json.WriteNumber("count", users);
                json.WriteNumber("paid_count", revenue.Payers);
                json.WriteEndObject();
            }
        }).ConfigureAwait(false);
    }

    /// <summary>Clients read a session id and send it back, although there is only this page.</summary>
    async Task<string> OpenSessionAsync(Project project, HttpContext context) =>
        (await sessions.OpenAsync(new ProfileKind(project.Id, ""), [], pageSize: 1, FrozenDictionary<string, string>.Empty,
            context.RequestAborted).ConfigureAwait(false)).Id;

    /// <summary>Mixpanel's names of types; a date is a string that contains a timestamp.</summary>
    static string TypeOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Number => "number",
        JsonValueKind.True or JsonValueKind.False => "boolean",
        JsonValueKind.Array => "list",
        JsonValueKind.Object => "object",
        JsonValueKind.String when IsMoment(value.GetString()!) => "datetime",
        _ => "string",
    };

    static bool IsMoment(string text) => DateTime.TryParseExact(text, "yyyy-MM-dd'T'HH:mm:ss", CultureInfo.InvariantCulture, DateTimeStyles.None, out _);

    /// <summary>The date of a transaction, as it was written.</summary>
    static DateOnly? DayOf(JsonElement transaction) =>
        transaction.ValueKind == JsonValueKind.Object && transaction.TryGetProperty("$time", out var time) && time.ValueKind == JsonValueKind.String
        && DateTime.TryParse(time.GetString(), CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind, out var moment)
            ? DateOnly.FromDateTime(moment)
            : null;

    sealed class Revenue
    {
        readonly HashSet<string> _payers = new(StringComparer.Ordinal);

        public double Amount { get; private set; }

        public int Payers => _payers.Count;

        public void Add(string user, double amount)
        {
            Amount += amount;
            _payers.Add(user);
        }
    }
}
