using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using MixpanelConnector.Transport;

namespace MixpanelConnector;

/// <summary>What an event report counts.</summary>
[JsonConverter(typeof(SnakeCaseNames<EventCountType>))]
public enum EventCountType
{
    /// <summary>Every event.</summary>
    General,

    /// <summary>Users, each once per unit of time.</summary>
    Unique,

    /// <summary>Events per user.</summary>
    Average,
}

/// <summary>The units of time of an event report.</summary>
[JsonConverter(typeof(SnakeCaseNames<EventCountUnit>))]
public enum EventCountUnit
{
    /// <summary>Minutes.</summary>
    Minute,

    /// <summary>Hours.</summary>
    Hour,

    /// <summary>Days in the project's time zone.</summary>
    Day,

    /// <summary>Weeks.</summary>
    Week,

    /// <summary>Months.</summary>
    Month,
}

/// <summary>What event reports share: building requests, validating common inputs, and reading answers.</summary>
static class EventReport
{
    // Servers and proxies commonly accept URLs of 8 KB; the host, the path and the project need some of it.
    const int LongestQuery = 7 << 10;

    static readonly EventReportJson Json = new(JsonDefaults.Options());

    public static MixpanelRequest WithView(this MixpanelRequest request, ReportInput input) =>
        input.WorkspaceId is { } view ? request.With("workspace_id", view) : request;

    public static MixpanelRequest WithName(this MixpanelRequest request, string parameter, string field, string name)
    {
        EventJson.EnsureUnicode(field, name);
        return request.With(parameter, name);
    }

    /// <summary>Adds a list of texts in Mixpanel's format: one parameter with a JSON array.</summary>
    public static MixpanelRequest WithNames(this MixpanelRequest request, string parameter, string field, IReadOnlyList<string> names)
    {
        for (var i = 0; i < names.Count; i++) EventJson.EnsureUnicode(string.Create(CultureInfo.InvariantCulture, $"{field}[{i}]"), names[i]);

        request = request.With(parameter, JsonSerializer.Serialize([.. names], Json.Names));
        return request.Query.Sum(pair => Uri.EscapeDataString(pair.Value).Length) <= LongestQuery
            ? request
            : throw MixpanelException.Invalid(field,
                $"{field} are too many or too long for one query: the limit is about {LongestQuery >> 10} KB in total. Split them over several queries.");
    }

    public static MixpanelRequest WithType(this MixpanelRequest request, EventCountType? type) => request.With("type", NameOf(type));

    public static MixpanelRequest WithLimit(this MixpanelRequest request, long? limit) => limit is { } most ? request.With("limit", most) : request;

    /// <summary>Adds the units of time and their range: a number of latest units, or all between two days.</summary>
    public static MixpanelRequest WithTime(this MixpanelRequest request, EventCountType? type, EventCountUnit? unit, long? interval, DateOnly? from,
        DateOnly? to)
    {
        var name = Name(unit ?? EventCountUnit.Day, "unit");
        if (type is EventCountType.Unique && unit is EventCountUnit.Minute or EventCountUnit.Hour)
            throw MixpanelException.Invalid("unit", "Users are counted by day, week or month, not by minute or hour.");
        request = request.With("unit", name);
        if (interval is not null && (from ?? to) is not null) throw MixpanelException.Invalid("interval", "Specify either interval, or from_date and to_date.");
        if (interval is { } units) return request.With("interval", units);
        if (from is null && to is null)
            throw MixpanelException.Invalid("interval", "Specify interval (the number of most recent units), or from_date and to_date.");
        if (from is null) throw MixpanelException.Invalid("from_date", "to_date requires from_date.");
        if (to is null) throw MixpanelException.Invalid("to_date", "from_date requires to_date.");
        if (to < from) throw MixpanelException.Invalid("to_date", "to_date must not be before from_date.");
        return request.With("from_date", Text(from.Value)).With("to_date", Text(to.Value));
    }

    public static string NameOf(EventCountType? type) => Name(type ?? EventCountType.General, "type");

    /// <summary>Sends the query, and reads its answer.</summary>
    /// <exception cref="MixpanelException">Mixpanel failed or refused the call, or its answer is not as documented.</exception>
    public static async ValueTask<T> ReadAsync<T>(ActionContext context, MixpanelRequest request, Func<JsonElement, T> read,
        CancellationToken cancellationToken)
    {
        var reply = await context.Transport.SendAsync(request, cancellationToken).ConfigureAwait(false);
        using var document = ReplyClassifier.ReadJson(reply, context.Options);
        try
        {
            return read(document.RootElement);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new MixpanelException(reply.Error(ErrorKind.Protocol, "Mixpanel's response is not the documented report."), e);
        }
    }

    /// <summary>Reads counts by name and date: the dates, the numbers, and the number of names.</summary>
    public static (string[] Series, Dictionary<string, IReadOnlyDictionary<string, double>> Values, long LegendSize) ReadSeries(JsonElement reply)
    {
        var data = reply.GetProperty("data");
        var series = data.GetProperty("series").EnumerateArray().Select(ReadText).ToArray();
        var values = new Dictionary<string, IReadOnlyDictionary<string, double>>(StringComparer.Ordinal);
        foreach (var segment in data.GetProperty("values").EnumerateObject())
        {
            var numbers = new Dictionary<string, double>(StringComparer.Ordinal);
            foreach (var number in segment.Value.EnumerateObject())
            {
                if (number.Value.ValueKind is not JsonValueKind.Null) numbers[number.Name] = ReadNumber(number.Value);
            }

            values[segment.Name] = numbers;
        }

        return (series, values, reply.TryGetProperty("legend_size", out var size) ? size.GetInt64() : values.Count);
    }

    public static string[] ReadTexts(JsonElement reply) => [.. reply.EnumerateArray().Select(ReadText)];

    public static string ReadText(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => element.GetRawText(),
        _ => element.GetString() ?? throw new JsonException("A text is missing."),
    };

    public static double ReadNumber(JsonElement element)
    {
        var number = element.GetDouble();
        return double.IsFinite(number) ? number : throw new JsonException("A number is too large.");
    }

    static string Text(DateOnly date) => date.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    static string Name<T>(T value, string field)
        where T : struct, Enum =>
        Enum.IsDefined(value)
            ? JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString())
            : throw MixpanelException.Invalid(field, $"{field} must be one of {string.Join(", ", Enum.GetNames<T>()).ToLowerInvariant()}.");
}

/// <summary>Reads and writes the names of an enumeration in snake case, but no numbers.</summary>
sealed class SnakeCaseNames<T>() : JsonStringEnumConverter<T>(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false)
    where T : struct, Enum;

[JsonSerializable(typeof(string[]), TypeInfoPropertyName = "Names")]
sealed partial class EventReportJson : JsonSerializerContext;
