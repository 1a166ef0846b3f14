using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using MixpanelConnector.Emulator.Http;
using MixpanelConnector.Emulator.Operations;
using MixpanelConnector.Emulator.Reports;
using MixpanelConnector.Emulator.Rules;
using MixpanelConnector.Emulator.Store;

namespace MixpanelConnector.Emulator;

/// <summary>Every operation that is emulated, under the paths of Mixpanel's several hosts. A wrong method is answered with 405.</summary>
sealed class Routes(EventStore events, ProfileStore profiles, IdentityStore identities, DocumentStore documents, LookupTableStore lookupTables, Accounts accounts, EmulatorOptions options, string instance)
{
    public void Map(IEndpointRouteBuilder routes)
    {
        var access = new Access(accounts);
        var quota = new Quota(options.RateLimits, options.TimeProvider);

        Get(routes, "/healthz", new Health(instance).HandleAsync, ErrorShapes.App);
        Post(routes, "/import", new ImportEvents(events, access, quota, options).HandleAsync, ErrorShapes.Ingestion);
        Browsers(routes, "/track", new TrackEvents(events, accounts, quota, options.TimeProvider).HandleAsync);
        Browsers(routes, "/engage", new UpdateProfiles(profiles, accounts, options.TimeProvider, ofGroups: false).HandleAsync);
        Browsers(routes, "/groups", new UpdateProfiles(profiles, accounts, options.TimeProvider, ofGroups: true).HandleAsync);

        var tables = new LookupTables(lookupTables, access);
        Get(routes, "/lookup-tables", tables.ListAsync, ErrorShapes.Ingestion);
        Put(routes, "/lookup-tables/{table}", tables.ReplaceAsync, ErrorShapes.Ingestion);

        var source = new ReportSource(events, profiles, identities, options.TimeProvider);
        var profileQuery = new ProfileQuery(profiles, source, options.TimeProvider);
        var queryProfiles = new QueryProfiles(profiles, profileQuery, documents, access, quota, options.TimeProvider);
        foreach (var path in (string[])["/api/query/engage", "/api/2.0/engage"])
        {
            Get(routes, path, queryProfiles.HandleAsync, ErrorShapes.Query);
            Post(routes, path, queryProfiles.HandleAsync, ErrorShapes.Query);
        }
        Get(routes, "/api/2.0/export", new ExportEvents(events, identities, access, quota, options.TimeProvider).HandleAsync, ErrorShapes.Query);

        MapControl(routes, access);
        MapReports(routes, source, profileQuery, new QueryGate(access, quota));

        Get(routes, "/api/app/me", new AboutMe(accounts, access).HandleAsync, ErrorShapes.App);
        var serviceAccounts = new ServiceAccounts(accounts, access, options.TimeProvider);
        const string OfOrganization = "/api/app/organizations/{organization}/service-accounts";
        Get(routes, OfOrganization, serviceAccounts.ListAsync, ErrorShapes.App);
        Post(routes, OfOrganization, serviceAccounts.CreateAsync, ErrorShapes.App);
        Post(routes, OfOrganization + "/add-to-project", serviceAccounts.AddToProjectsAsync, ErrorShapes.App);
        Post(routes, OfOrganization + "/remove-from-project", serviceAccounts.RemoveFromProjectsAsync, ErrorShapes.App);
        Get(routes, OfOrganization + "/{account}", serviceAccounts.GetAsync, ErrorShapes.App);
        Delete(routes, OfOrganization + "/{account}", serviceAccounts.DeleteAsync, ErrorShapes.App);
        Get(routes, "/api/app/projects/{project}/service-accounts", serviceAccounts.ListOfProjectAsync, ErrorShapes.App);
    }

    /// <summary>The reports, under today's path and the one that older clients use.</summary>
    void MapReports(IEndpointRouteBuilder routes, ReportSource source, ProfileQuery profileQuery, QueryGate gate)
    {
        void Report(string path, QueryHandler handler)
        {
            Get(routes, "/api/query" + path, gate.Before(handler), ErrorShapes.Query);
            Get(routes, "/api/2.0" + path, gate.Before(handler), ErrorShapes.Query);
        }

        var counts = new CountEvents(source);
        Report("/events", counts.CountAsync);
        Report("/events/names", counts.NamesAsync);
        Report("/events/top", counts.TopAsync);
        var properties = new EventProperties(source);
        Report("/events/properties", properties.CountAsync);
        Report("/events/properties/top", properties.TopNamesAsync);
        Report("/events/properties/values", properties.TopValuesAsync);
        var segmentation = new Segmentation(source);
        Report("/segmentation", segmentation.SegmentAsync);
        Report("/segmentation/numeric", segmentation.RangesAsync);
        Report("/segmentation/sum", segmentation.SumAsync);
        Report("/segmentation/average", segmentation.AverageAsync);
        var funnels = new Funnels(source, documents);
        Report("/funnels", funnels.QueryAsync);
        Report("/funnels/list", (context, _, project) => funnels.ListAsync(context, project));
        var retention = new Retention(source);
        Report("/retention", retention.RetentionAsync);
        Report("/retention/addiction", retention.FrequencyAsync);
        Report("/insights", new Insights(source, documents).QueryAsync);
        Report("/stream/query", new ActivityStream(source).QueryAsync);
        var cohorts = new Cohorts(profileQuery, documents);
        Post(routes, "/api/query/cohorts/list", gate.Before((context, _, project) => cohorts.ListAsync(context, project)), ErrorShapes.Query);
        Post(routes, "/api/2.0/cohorts/list", gate.Before((context, _, project) => cohorts.ListAsync(context, project)), ErrorShapes.Query);
    }

    /// <summary>What stands in for Mixpanel's web pages.</summary>
    void MapControl(IEndpointRouteBuilder routes, Access access)
    {
        var control = new Control(accounts, documents, lookupTables, access, options);
        Get(routes, "/emulator/projects", control.ListProjectsAsync, ErrorShapes.App);
        Post(routes, "/emulator/projects", control.CreateProjectAsync, ErrorShapes.App);
        Post(routes, "/emulator/projects/{project}/funnels", control.CreateFunnelAsync, ErrorShapes.App);
        Post(routes, "/emulator/projects/{project}/reports", control.CreateReportAsync, ErrorShapes.App);
        Post(routes, "/emulator/projects/{project}/cohorts", control.CreateCohortAsync, ErrorShapes.App);
        Post(routes, "/emulator/projects/{project}/lookup-tables", control.CreateLookupTableAsync, ErrorShapes.App);
    }

    /// <summary>What web pages call too, by GET (an image or a script) or by POST.</summary>
    static void Browsers(IEndpointRouteBuilder routes, string path, RequestDelegate handler)
    {
        routes.MapMethods(path, [HttpMethods.Get, HttpMethods.Post], handler.With(ErrorShapes.Ingestion).WithCors());
        routes.MapMethods(path, [HttpMethods.Options], Cors.PreflightAsync);
    }

    static void Get(IEndpointRouteBuilder routes, string path, RequestDelegate handler, ErrorShape errors) =>
        routes.MapMethods(path, [HttpMethods.Get], handler.With(errors));

    static void Delete(IEndpointRouteBuilder routes, string path, RequestDelegate handler, ErrorShape errors) =>
        routes.MapMethods(path, [HttpMethods.Delete], handler.With(errors));

    static void Put(IEndpointRouteBuilder routes, string path, RequestDelegate handler, ErrorShape errors) =>
        routes.MapMethods(path, [HttpMethods.Put], handler.With(errors));

    static void Post(IEndpointRouteBuilder routes, string path, RequestDelegate handler, ErrorShape errors) =>
        routes.MapMethods(path, [HttpMethods.Post], handler.With(errors));
}
