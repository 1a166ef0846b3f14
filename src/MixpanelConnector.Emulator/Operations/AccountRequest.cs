using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using MixpanelConnector.Emulator.Http;
using MixpanelConnector.Emulator.Store;

namespace MixpanelConnector.Emulator.Operations;

/// <summary>Parses and validates the JSON bodies of the service-account API.</summary>
static class AccountRequest
{
    /// <summary>The only format that the service accepts and returns.</summary>
    public const string Time = "yyyy-MM-dd'T'HH:mm:ss'Z'";

    const int LargestBody = 1024 * 1024;

    public sealed record NewAccount(string Username, string Role, DateTimeOffset? Expires, IReadOnlyList<(int ProjectId, string Role)> Projects);

    public static async Task<NewAccount> ReadNewAsync(HttpContext context, DateTimeOffset now)
    {
        var body = await ReadAsync(context).ConfigureAwait(false);
        var username = TextOf(body, "username")?.Trim();
        if (string.IsNullOrEmpty(username) || username.Contains(':', StringComparison.Ordinal) || username.Any(char.IsControl))
            throw Invalid("username", "must be text without a colon and without control characters");
        var role = TextOf(body, "role") ?? Roles.Analyst;
        if (!Roles.IsKnown(role)) throw Invalid("role", "must be owner, admin, analyst or consumer");
        var expires = ExpiryOf(body);
        if (expires <= now) throw Invalid("expires", "must be in the future");
        return new NewAccount(username, role, expires, Has(body, "projects") ? ProjectsOf(body, role) : []);
    }

    public static async Task<(IReadOnlyList<int> AccountIds, IReadOnlyList<(int ProjectId, string Role)> Projects)> ReadAddedAsync(HttpContext context)
    {
        var body = await ReadAsync(context).ConfigureAwait(false);
        return (IntegersOf(body, "service_account_ids"), ProjectsOf(body));
    }

    public static async Task<IReadOnlyList<(int ProjectId, int AccountId)>> ReadRemovedAsync(HttpContext context)
    {
        var body = await ReadAsync(context).ConfigureAwait(false);
        return [.. ObjectsOf(body, "projects").SelectMany(project => IntegersOf(project, "service_account_ids").Select(id => (IntegerOf(project, "id"), id)))];
    }

    static async Task<JsonElement> ReadAsync(HttpContext context)
    {
        using var body = await RequestBody.ReadAsync(context.Request, LargestBody, gzipAllowed: false, context.RequestAborted).ConfigureAwait(false);
        var root = JsonBody.ParseObject(body.Memory.Span);
        KnownMembers.Check(context, root);
        return root;
    }

    /// <param name="body">The request.</param>
    /// <param name="otherwise">The default role; null if a role is required.</param>
    static IReadOnlyList<(int ProjectId, string Role)> ProjectsOf(JsonElement body, string? otherwise = null) =>
    [
        .. ObjectsOf(body, "projects").Select(project => (
            IntegerOf(project, "id"),
            (TextOf(project, "role") ?? otherwise) is { } role && Roles.IsKnown(role)
                ? role
                : throw Invalid("projects.role", "must be owner, admin, analyst or consumer"))),
    ];

    static DateTimeOffset? ExpiryOf(JsonElement body)
    {
        if (!Has(body, "expires")) return null;
        return body.GetProperty("expires") is { ValueKind: JsonValueKind.String } text
            && DateTimeOffset.TryParseExact(text.GetString(), Time, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var expires)
            ? expires
            : throw Invalid("expires", "must be a date and time like 2026-01-31T00:00:00Z");
    }

    static bool Has(JsonElement body, string name) => body.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null;

    static string? TextOf(JsonElement body, string name)
    {
        if (!Has(body, name)) return null;
        var value = body.GetProperty(name);
        return value.ValueKind == JsonValueKind.String ? value.GetString() : throw Invalid(name, "must be text");
    }

    static int IntegerOf(JsonElement body, string name) =>
        Has(body, name) && body.GetProperty(name) is { ValueKind: JsonValueKind.Number } number && number.TryGetInt32(out var value)
            ? value
            : throw Invalid(name, "must be an integer");

    static IReadOnlyList<int> IntegersOf(JsonElement body, string name)
    {
        if (!Has(body, name) || body.GetProperty(name).ValueKind != JsonValueKind.Array) throw Invalid(name, "must be a list of integers");
        return
        [
            .. body.GetProperty(name).EnumerateArray().Select(element =>
                element.ValueKind == JsonValueKind.Number && element.TryGetInt32(out var value) ? value : throw Invalid(name, "must be a list of integers")),
        ];
    }

    static JsonElement.ArrayEnumerator ObjectsOf(JsonElement body, string name)
    {
        if (!Has(body, name) || body.GetProperty(name) is not { ValueKind: JsonValueKind.Array } list
            || list.EnumerateArray().Any(element => element.ValueKind != JsonValueKind.Object))
            throw Invalid(name, "must be a list of objects");
        return list.EnumerateArray();
    }

    static RefusedException Invalid(string field, string rule) => new(400, $"{field}: {rule}");
}
