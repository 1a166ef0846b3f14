using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using MixpanelConnector.Emulator.Faults;
using MixpanelConnector.Emulator.Flags;
using MixpanelConnector.Emulator.Http;
using MixpanelConnector.Emulator.Live;
using MixpanelConnector.Emulator.Operations;
using MixpanelConnector.Emulator.Operations.Control;
using MixpanelConnector.Emulator.Reports;
using MixpanelConnector.Emulator.Rules;
using MixpanelConnector.Emulator.Store;

namespace MixpanelConnector.Emulator;

/// <summary>Every emulated operation, under the paths of Mixpanel's various hosts. An unsupported method is answered with 405.</summary>
sealed class Routes(
    EventStore events, ProfileStore profiles, QuerySessions sessions, IdentityStore identities, DocumentStore documents, LookupTableStore lookupTables,
    PersonalData personalData, Accounts accounts,
    FaultPlan faults, Journal journal, Snapshots snapshots, Seeding seeding, AdjustableClock clock, EmulatorOptions options, string instance, Database database)
{
    readonly Feed _feed = new(TimeProvider.System);
    StartOver _startOver = null!; // created with the quota

    public void Map(IEndpointRouteBuilder routes)
    {
        var access = new Access(accounts);
        var quota = new Quota(options.RateLimits, options.TimeProvider);
        _startOver = new StartOver(snapshots, quota, _feed, journal, faults, clock, options);
        seeding.Undone = () => _startOver.Forget();
        if (options.Seed is { } seed) _startOver.SeedAsync = token => seeding.ApplyOnceAsync(seed, token);

        Get(routes, "/healthz", new Health(instance, database).HandleAsync, ErrorShapes.App);
        var import = new ImportEvents(events, _feed, access, quota, options);
        Get(routes, "/import", import.HandleAsync, ErrorShapes.Ingestion); // with data= in the query string
        Post(routes, "/import", import.HandleAsync, ErrorShapes.Ingestion);
        string[] image = [HttpMethods.Get, HttpMethods.Post]; // an image or a script of a page uses GET
        var track = new TrackEvents(events, _feed, accounts, quota, options);
        foreach (var path in (string[])["/track", "/batch"]) // some clients use this path for batches
            Page(routes, path, image, track.HandleAsync, ErrorShapes.Tracking);
        Page(routes, "/engage", image, new UpdateProfiles(profiles, _feed, identities, accounts, options, ofGroups: false).HandleAsync, ErrorShapes.Tracking);
        Page(routes, "/groups", image, new UpdateProfiles(profiles, _feed, identities, accounts, options, ofGroups: true).HandleAsync, ErrorShapes.Tracking);

        var replay = new SessionReplay(accounts);
        Page(routes, "/settings", [HttpMethods.Get], replay.SettingsAsync, ErrorShapes.App);
        Page(routes, "/record", [HttpMethods.Post], replay.RecordAsync, ErrorShapes.App);

        var tables = new LookupTables(lookupTables, access, quota);
        Get(routes, "/lookup-tables", tables.ListAsync, ErrorShapes.Ingestion, "project_id");
        // Importers send these parameters, meant for records, with tables too, where they have no effect: a table is validated completely, and the response is
        // JSON.
        Put(routes, "/lookup-tables/{table}", tables.ReplaceAsync, ErrorShapes.Ingestion, "project_id", "ip", "verbose", "strict");

        var lookups = new LookupMappings(documents, lookupTables);
        var source = new ReportSource(events, profiles, identities, lookups, options.TimeProvider);
        var profileQuery = new ProfileQuery(profiles, source, lookups, options.TimeProvider);
        var queryProfiles = new QueryProfiles(profiles, profileQuery, sessions, documents, access, quota, options.TimeProvider);
        foreach (var path in (string[])["/api/query/engage", "/api/2.0/engage"])
        {
            Get(routes, path, queryProfiles.HandleAsync, ErrorShapes.Query);
            Post(routes, path, queryProfiles.HandleAsync, ErrorShapes.Query);
        }
        Get(routes, "/api/2.0/export", new ExportEvents(events, identities, access, quota, options.TimeProvider).HandleAsync, ErrorShapes.Query);

        MapControl(routes, access, lookups);
        MapAppApi(routes, access, quota);
        MapReports(routes, source, profileQuery, new QueryGate(access, quota), new Annotations(documents, accounts, access));
        MapWarehouses(routes, access);

        var aboutMe = new AboutMe(accounts, access);
        Get(routes, "/api/app/me", aboutMe.HandleAsync, ErrorShapes.App);
        Get(routes, "/api/app/projects", aboutMe.ProjectsAsync, ErrorShapes.App);
        Get(routes, "/api/app/projects/{project}/workspaces", aboutMe.WorkspacesAsync, ErrorShapes.App);
        Get(routes, "/api/app/projects/{project}/workspaces/public", aboutMe.WorkspacesAsync, ErrorShapes.App);
        var serviceAccounts = new ServiceAccounts(accounts, access, options.TimeProvider);
        const string OfOrganization = "/api/app/organizations/{organization}/service-accounts";
        Get(routes, OfOrganization, serviceAccounts.ListAsync, ErrorShapes.App);
        Post(routes, OfOrganization, Knowing(serviceAccounts.CreateAsync, "username", "role", "expires", "projects", "projects.id", "projects.role"),
            ErrorShapes.App);
        Post(routes, OfOrganization + "/add-to-project",
            Knowing(serviceAccounts.AddToProjectsAsync, "service_account_ids", "projects", "projects.id", "projects.role"), ErrorShapes.App);
        Post(routes, OfOrganization + "/remove-from-project",
            Knowing(serviceAccounts.RemoveFromProjectsAsync, "projects", "projects.id", "projects.service_account_ids"), ErrorShapes.App);
        Get(routes, OfOrganization + "/{account}", serviceAccounts.GetAsync, ErrorShapes.App);
        Delete(routes, OfOrganization + "/{account}", serviceAccounts.DeleteAsync, ErrorShapes.App);
        Get(routes, "/api/app/projects/{project}/service-accounts", serviceAccounts.ListOfProjectAsync, ErrorShapes.App);
    }

    /// <summary>The reports, under the current path and the one that older clients use.</summary>
    void MapReports(IEndpointRouteBuilder routes, ReportSource source, ProfileQuery profileQuery, QueryGate gate, Annotations annotations)
    {
        void Report(string path, QueryHandler handler, params string[] parameters)
        {
            Get(routes, "/api/query" + path, gate.Before(handler, parameters), ErrorShapes.Query);
            Get(routes, "/api/2.0" + path, gate.Before(handler, parameters), ErrorShapes.Query);
        }

        var counts = new CountEvents(source);
        Report("/events", counts.CountAsync, "event", "type", "unit", "interval", "from_date", "to_date", "format");
        Report("/events/names", counts.NamesAsync, "type", "limit");
        Report("/events/top", counts.TopAsync, "type", "limit");
        var properties = new EventProperties(source);
        Report("/events/properties", properties.CountAsync, "event", "name", "values", "type", "unit", "interval", "from_date", "to_date", "format", "limit");
        Report("/events/properties/top", properties.TopNamesAsync, "event", "limit");
        Report("/events/properties/values", properties.TopValuesAsync, "event", "name", "limit");
        var segmentation = new Segmentation(source);
        Report("/segmentation", segmentation.SegmentAsync, "event", "from_date", "to_date", "on", "where", "unit", "interval", "type", "limit", "format");
        Report("/segmentation/numeric", segmentation.RangesAsync, "event", "from_date", "to_date", "on", "where", "unit", "type");
        Report("/segmentation/sum", segmentation.SumAsync, "event", "from_date", "to_date", "on", "where", "unit");
        Report("/segmentation/average", segmentation.AverageAsync, "event", "from_date", "to_date", "on", "where", "unit");
        var funnels = new Funnels(source, documents);
        Report("/funnels", funnels.QueryAsync, "funnel_id", "from_date", "to_date", "length", "length_unit", "interval", "unit", "on", "where", "limit");
        Report("/funnels/list", (context, _, project) => funnels.ListAsync(context, project));
        Report(
            "/retention", new Retention(source).HandleAsync,
            "from_date", "to_date", "retention_type", "born_event", "born_where", "event", "where", "interval", "interval_count", "unit", "unbounded_retention",
            "on", "limit");
        Report("/retention/addiction", new Frequency(source).HandleAsync, "from_date", "to_date", "unit", "addiction_unit", "event", "where", "on", "limit");
        Report("/insights", new Insights(source, documents).QueryAsync, "bookmark_id");
        Report("/stream/query", new ActivityStream(source).QueryAsync, "distinct_ids", "from_date", "to_date");
        var cohorts = new Cohorts(profileQuery, documents);
        Report("/cohorts/list", (context, _, project) => cohorts.ListAsync(context, project));
        foreach (var path in (string[])["/api/query/cohorts/list", "/api/2.0/cohorts/list"])
            Post(routes, path, gate.Before((context, _, project) => cohorts.ListAsync(context, project)), ErrorShapes.Query);

        var jql = new JqlQuery(source, profiles, options);
        foreach (var path in (string[])["/api/query/jql", "/api/2.0/jql"])
            Post(routes, path, gate.Before(jql.QueryAsync, JqlQuery.Parameters), ErrorShapes.Query);

        // No longer documented, but still used.
        var profileProperties = new ProfileProperties(profiles, sessions, options.TimeProvider);
        Report("/engage/properties", profileProperties.ListAsync, "limit");
        Report("/engage/revenue", profileProperties.RevenueAsync, "from_date", "to_date", "unit");
        Get(routes, "/api/2.0/annotations", gate.Before(annotations.ListOldAsync, "from_date", "to_date"), ErrorShapes.Query);
    }

    /// <summary>The control endpoints, which replace Mixpanel's web pages.</summary>
    void MapControl(IEndpointRouteBuilder routes, Access access, LookupMappings lookups)
    {
        var about = new About(options);
        Get(routes, "/", about.HandleAsync, ErrorShapes.App);
        Get(routes, "/emulator", about.HandleAsync, ErrorShapes.App);
        Get(routes, "/emulator/openapi.json", About.DescribeAsync, ErrorShapes.App);
        var whole = new SnapshotControl(snapshots, _startOver, access);
        Post(routes, "/emulator/reset", whole.ResetAsync, ErrorShapes.App);
        Get(routes, "/emulator/snapshots", whole.ListAsync, ErrorShapes.App);
        Put(routes, "/emulator/snapshots/{snapshot}", whole.SaveAsync, ErrorShapes.App);
        Post(routes, "/emulator/snapshots/{snapshot}/restore", whole.RestoreAsync, ErrorShapes.App);
        Delete(routes, "/emulator/snapshots/{snapshot}", whole.DeleteAsync, ErrorShapes.App);
        Post(routes, "/emulator/seed", new SeedControl(seeding, access).ApplyAsync, ErrorShapes.App);
        var time = new ClockControl(clock, access);
        Get(routes, "/emulator/clock", time.ShowAsync, ErrorShapes.App);
        Put(routes, "/emulator/clock", time.SetAsync, ErrorShapes.App);
        Delete(routes, "/emulator/clock", time.ReleaseAsync, ErrorShapes.App);
        var received = new JournalControl(journal, access);
        Get(routes, "/emulator/requests", received.ShowAsync, ErrorShapes.App, JournalControl.Parameters);
        Delete(routes, "/emulator/requests", received.ForgetAsync, ErrorShapes.App);
        Put(routes, "/emulator/service-accounts/{username}", new AccountControl(accounts, access).PutAsync, ErrorShapes.App);
        var control = new ProjectControl(accounts, documents, lookupTables, lookups, _startOver, access, options);
        Get(routes, "/emulator/projects", control.ListProjectsAsync, ErrorShapes.App);
        Post(routes, "/emulator/projects", control.CreateProjectAsync, ErrorShapes.App);
        Put(routes, "/emulator/projects/{project}", control.ReplaceProjectAsync, ErrorShapes.App);
        Delete(routes, "/emulator/projects/{project}", control.DeleteProjectAsync, ErrorShapes.App);
        Post(routes, "/emulator/projects/{project}/reset", control.ResetProjectAsync, ErrorShapes.App);
        Post(routes, "/emulator/projects/{project}/funnels", control.CreateFunnelAsync, ErrorShapes.App);
        Post(routes, "/emulator/projects/{project}/reports", control.CreateReportAsync, ErrorShapes.App);
        Post(routes, "/emulator/projects/{project}/cohorts", control.CreateCohortAsync, ErrorShapes.App);
        Get(routes, "/emulator/projects/{project}/live", new LiveFeed(events, _feed, access, options.TimeProvider).HandleAsync, ErrorShapes.App);
        var faultControl = new FaultControl(faults, access);
        Get(routes, "/emulator/faults", faultControl.ShowAsync, ErrorShapes.App);
        Put(routes, "/emulator/faults", faultControl.ReplaceAsync, ErrorShapes.App);
        Delete(routes, "/emulator/faults", faultControl.ClearAsync, ErrorShapes.App);
        Post(routes, "/emulator/projects/{project}/lookup-tables", control.CreateLookupTableAsync, ErrorShapes.App);
        Put(routes, "/emulator/projects/{project}/lookup-tables/{table}", control.MapLookupTableAsync, ErrorShapes.App);
    }

    /// <summary>The parts of a project other than its data.</summary>
    void MapAppApi(IEndpointRouteBuilder routes, Access access, Quota quota)
    {
        const string Project = "/api/app/projects/{project}";
        var annotations = new Annotations(documents, accounts, access);
        foreach (var of in (string[])[Project, "/api/app/workspaces/{project}"]) // each project has one workspace, with the same number
        {
            Get(routes, of + "/annotations", annotations.ListAsync, ErrorShapes.App, "fromDate", "toDate");
            Post(routes, of + "/annotations", Knowing(annotations.CreateAsync, "date", "description", "tags"), ErrorShapes.App);
            Get(routes, of + "/annotations/tags", annotations.ListTagsAsync, ErrorShapes.App);
            Post(routes, of + "/annotations/tags", Knowing(annotations.CreateTagAsync, "name"), ErrorShapes.App);
            Get(routes, of + "/annotations/{annotation}", annotations.GetAsync, ErrorShapes.App);
            Patch(routes, of + "/annotations/{annotation}", Knowing(annotations.PatchAsync, "description", "tags"), ErrorShapes.App);
            Delete(routes, of + "/annotations/{annotation}", annotations.DeleteAsync, ErrorShapes.App);
        }

        var schemas = new LexiconSchemas(documents, access, quota);
        Get(routes, Project + "/schemas", schemas.ListAsync, ErrorShapes.App);
        Delete(routes, Project + "/schemas", schemas.DeleteAsync, ErrorShapes.App);
        Get(routes, Project + "/schemas/{type}", schemas.ListAsync, ErrorShapes.App, "entity_name");
        Delete(routes, Project + "/schemas/{type}", schemas.DeleteAsync, ErrorShapes.App, "entity_name");
        Post(routes, Project + "/schemas", schemas.UploadAsync, ErrorShapes.App);
        Get(routes, Project + "/schemas/{type}/{name}", schemas.GetAsync, ErrorShapes.App);
        Post(routes, Project + "/schemas/{type}/{name}", schemas.PutAsync, ErrorShapes.App);
        Delete(routes, Project + "/schemas/{type}/{name}", schemas.DeleteAsync, ErrorShapes.App);

        const string Flags = Project + "/workspaces/{workspace}/feature-flags";
        var flags = new FeatureFlags(documents, access, options.TimeProvider);
        Get(routes, Flags, flags.ListAsync, ErrorShapes.Typed, "include_archived");
        Post(routes, Flags, flags.CreateAsync, ErrorShapes.Typed);
        Get(routes, Flags + "/{flag}", flags.GetAsync, ErrorShapes.Typed);
        Put(routes, Flags + "/{flag}", flags.ReplaceAsync, ErrorShapes.Typed);
        Delete(routes, Flags + "/{flag}", flags.DeleteAsync, ErrorShapes.Typed);

        var evaluation = new FlagRequests(documents, accounts, access);
        string[] askers = ["token", "project_id", "mp_lib", "lib_version", "$lib_version", "ip"]; // the project, and what SDKs report about themselves
        Page(routes, "/flags", [HttpMethods.Get, HttpMethods.Post], QueryParameters.Taking(evaluation.AssignAsync, [.. askers, "context", "flag_key"]),
            ErrorShapes.App);
        Page(routes, "/flags/definitions", [HttpMethods.Get], QueryParameters.Taking(evaluation.DefineAsync, askers), ErrorShapes.App);

        const string OfWorkspace = "/api/app/workspaces/{workspace}/experiments";
        var experiments = new Experiments(documents, access, options.TimeProvider);
        Get(routes, OfWorkspace, experiments.ListAsync, ErrorShapes.Typed);
        Get(routes, "/api/app/projects/{workspace}/experiments", experiments.ListAsync, ErrorShapes.Typed);
        Post(routes, OfWorkspace, Knowing(experiments.CreateAsync, Experiments.Members), ErrorShapes.Typed);
        Get(routes, OfWorkspace + "/{experiment}", experiments.GetAsync, ErrorShapes.Typed);
        Patch(routes, OfWorkspace + "/{experiment}", Knowing(experiments.UpdateAsync, Experiments.Members), ErrorShapes.Typed);
        Delete(routes, OfWorkspace + "/{experiment}", experiments.DeleteAsync, ErrorShapes.Typed);
        Post(routes, OfWorkspace + "/{experiment}/archive", Knowing(experiments.ArchiveAsync), ErrorShapes.Typed);
        Delete(routes, OfWorkspace + "/{experiment}/archive", Knowing(experiments.UnarchiveAsync), ErrorShapes.Typed);
        Patch(routes, OfWorkspace + "/{experiment}/decide", Knowing(experiments.DecideAsync, "success", "variant", "message"), ErrorShapes.Typed);
        Put(routes, OfWorkspace + "/{experiment}/force_conclude", Knowing(experiments.ConcludeAsync, "end_date"), ErrorShapes.Typed);
        Put(routes, OfWorkspace + "/{experiment}/launch", Knowing(experiments.LaunchAsync), ErrorShapes.Typed);

        var requests = new GdprRequests(personalData, documents, accounts, quota, options);
        Post(routes, "/api/app/data-retrievals/v3.0", Knowing(requests.CreateRetrievalAsync, "distinct_ids", "compliance_type", "disclosure_type"),
            ErrorShapes.App, "token");
        Get(routes, "/api/app/data-retrievals/v3.0/{id}", requests.GetRetrievalAsync, ErrorShapes.App, "token");
        Post(routes, "/api/app/data-deletions/v3.0", Knowing(requests.CreateDeletionAsync, "distinct_ids", "compliance_type"), ErrorShapes.App, "token");
        Get(routes, "/api/app/data-deletions/v3.0/{id}", requests.GetDeletionAsync, ErrorShapes.App, "token");
        Delete(routes, "/api/app/data-deletions/v3.0/{id}", requests.CancelAsync, ErrorShapes.App, "token");
        Get(routes, "/emulator/data-retrievals/{id}", requests.DownloadAsync, ErrorShapes.App);
        requests.Resume();
        _startOver.Replaced = () =>
        {
            requests.Stop();
            requests.Resume();
        };
        clock.Adjusted = requests.Rearm;
        routes.ServiceProvider.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping.Register(requests.Stop);
    }

    /// <summary>Settings for warehouses, although none is accessed.</summary>
    void MapWarehouses(IEndpointRouteBuilder routes, Access access)
    {
        const string Pipelines = "/api/2.0/nessie/pipeline";
        var pipelines = new DataPipelines(documents, access);
        Get(routes, Pipelines + "/jobs", pipelines.ListAsync, ErrorShapes.App);
        Post(routes, Pipelines + "/create", pipelines.CreateAsync, ErrorShapes.App);
        Post(routes, Pipelines + "/edit", pipelines.EditAsync, ErrorShapes.App);
        Post(routes, Pipelines + "/cancel", pipelines.CancelAsync, ErrorShapes.App);
        Post(routes, Pipelines + "/pause", pipelines.PauseAsync, ErrorShapes.App);
        Post(routes, Pipelines + "/resume", pipelines.ResumeAsync, ErrorShapes.App);
        Get(routes, Pipelines + "/status", pipelines.StatusAsync, ErrorShapes.App);
        Get(routes, Pipelines + "/timeline", pipelines.TimelineAsync, ErrorShapes.App);

        const string Imports = "/api/app/projects/{project}/warehouse-sources/imports";
        var imports = new WarehouseImports(documents, access, options.TimeProvider);
        Get(routes, Imports, imports.ListAsync, ErrorShapes.App);
        Post(routes, Imports + "/event-stream", imports.CreateEventStreamAsync, ErrorShapes.App);
        Post(routes, Imports + "/people", imports.CreatePeopleAsync, ErrorShapes.App);
        Post(routes, Imports + "/groups", imports.CreateGroupsAsync, ErrorShapes.App);
        Post(routes, Imports + "/lookup-table", imports.CreateLookupTableAsync, ErrorShapes.App);
        Get(routes, Imports + "/{import}", imports.GetAsync, ErrorShapes.App);
        Patch(routes, Imports + "/{import}", imports.UpdateAsync, ErrorShapes.App);
        Delete(routes, Imports + "/{import}", imports.DeleteAsync, ErrorShapes.App);
        Put(routes, Imports + "/{import}/manual-sync", imports.RunAsync, ErrorShapes.App);
        Get(routes, Imports + "/{import}/history", imports.HistoryAsync, ErrorShapes.App);
    }

    /// <summary>The allowed members of a body for which Mixpanel's specification allows others, if unknown members are to be rejected.</summary>
    RequestDelegate Knowing(RequestDelegate handler, params string[] members) => options.StrictUnknown ? handler.Knowing(members) : handler;

    /// <summary>Routes that web pages of any origin may call.</summary>
    static void Page(IEndpointRouteBuilder routes, string path, string[] methods, RequestDelegate handler, ErrorShape errors)
    {
        routes.MapMethods(path, methods, handler.With(errors).WithCors());
        routes.MapMethods(path, [HttpMethods.Options], Cors.Preflight(methods));
    }

    static void Get(IEndpointRouteBuilder routes, string path, RequestDelegate handler, ErrorShape errors, params string[] parameters) =>
        Map(routes, HttpMethods.Get, path, handler, errors, parameters);

    static void Delete(IEndpointRouteBuilder routes, string path, RequestDelegate handler, ErrorShape errors, params string[] parameters) =>
        Map(routes, HttpMethods.Delete, path, handler, errors, parameters);

    static void Patch(IEndpointRouteBuilder routes, string path, RequestDelegate handler, ErrorShape errors, params string[] parameters) =>
        Map(routes, HttpMethods.Patch, path, handler, errors, parameters);

    static void Put(IEndpointRouteBuilder routes, string path, RequestDelegate handler, ErrorShape errors, params string[] parameters) =>
        Map(routes, HttpMethods.Put, path, handler, errors, parameters);

    static void Post(IEndpointRouteBuilder routes, string path, RequestDelegate handler, ErrorShape errors, params string[] parameters) =>
        Map(routes, HttpMethods.Post, path, handler, errors, parameters);

    /// <summary>The App API, lookup tables and our own endpoints allow only these parameters; the others validate their own.</summary>
    static void Map(IEndpointRouteBuilder routes, string method, string path, RequestDelegate handler, ErrorShape errors, string[] parameters)
    {
        var declares = path.StartsWith("/api/app/", StringComparison.Ordinal) || path.StartsWith("/lookup-tables", StringComparison.Ordinal)
            || path.StartsWith("/emulator", StringComparison.Ordinal);
        routes.MapMethods(path, [method], (declares ? handler.Taking(parameters) : handler).With(errors));
    }
}
