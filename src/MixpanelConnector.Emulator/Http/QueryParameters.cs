using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace MixpanelConnector.Emulator.Http;

/// <summary>The allowed query parameters of an operation that reads everything else from its path and its body.</summary>
static class QueryParameters
{
    /// <summary>Rejects unknown parameters: ignoring them would change the meaning of a request.</summary>
    /// <param name="handler">Handles the request.</param>
    /// <param name="parameters">The allowed parameters. <c>project_id</c> and <c>workspace_id</c> may repeat the values in the path.</param>
    public static RequestDelegate Taking(this RequestDelegate handler, params string[] parameters) => context =>
    {
        FormText.RequireUtf8(context.Request.QueryString.Value);
        var once = new Dictionary<string, StringValues>(StringComparer.OrdinalIgnoreCase);
        foreach (var (name, values) in context.Request.Query)
        {
            if (!parameters.Contains(name, StringComparer.Ordinal) && !RepeatsPath(context, name))
                throw RefusedException.UnknownParameter(context.Request, name);
            if (values.Distinct(StringComparer.Ordinal).Count() > 1) throw new RefusedException(400, $"{name} is given twice, with different values");
            once[name] = values.Count > 1 ? values[0] : values;
        }
        context.Request.Query = new QueryCollection(once);
        return handler(context);
    };

    /// <summary>Each project has one workspace, with the same number.</summary>
    static bool RepeatsPath(HttpContext context, string name)
    {
        if (name is not ("project_id" or "workspace_id")) return false;
        var route = context.Request.RouteValues;
        if ((string?)(route["project"] ?? route["workspace"]) is not { } project) return false;
        return int.TryParse(context.Request.Query[name][0], NumberStyles.None, CultureInfo.InvariantCulture, out var id)
            && id.ToString(CultureInfo.InvariantCulture) == project
            ? true
            : throw new RefusedException(400, $"{name}: is not the one of the path");
    }
}
