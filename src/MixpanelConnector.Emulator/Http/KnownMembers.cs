using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace MixpanelConnector.Emulator.Http;

/// <summary>
/// The allowed members in the body of an operation, if unknown members are to be rejected. Members of a nested object, or of the objects in a list, follow its
/// name after a dot.
/// </summary>
static class KnownMembers
{
    static readonly object Key = new();

    /// <summary>Declares the members that an operation knows.</summary>
    public static RequestDelegate Knowing(this RequestDelegate handler, params string[] members) => context =>
    {
        context.Items[Key] = members;
        return handler(context);
    };

    /// <summary>Rejects members that the operation does not know, if it has declared any.</summary>
    /// <exception cref="RefusedException">There is an unknown member.</exception>
    public static void Check(HttpContext context, JsonElement body)
    {
        if (context.Items[Key] is string[] members) Check(body, "", members);
    }

    static void Check(JsonElement item, string path, string[] members)
    {
        foreach (var member in item.EnumerateObject())
        {
            var name = path + member.Name;
            if (!members.Contains(name, StringComparer.Ordinal)) throw new RefusedException(400, $"{name}: is not known");
            var within = name + ".";
            if (!members.Any(known => known.StartsWith(within, StringComparison.Ordinal))) continue;
            foreach (var inner in member.Value.ValueKind == JsonValueKind.Array ? member.Value.EnumerateArray().ToArray() : [member.Value])
            {
                if (inner.ValueKind == JsonValueKind.Object) Check(inner, within, members);
            }
        }
    }
}
