using System.Text.Json;
using MixpanelConnector.Testing;

namespace MixpanelConnector.Emulator.Tests;

/// <summary>Pipelines are stored as requested. Refused requests change nothing, so the tables share one embedded Mixpanel.</summary>
public sealed class DataPipelineTests(DataPipelineTests.Shared shared) : IClassFixture<DataPipelineTests.Shared>
{
    const string Pipelines = "/api/2.0/nessie/pipeline";
    const string Schema = "&schema_type=monoschema&sync=true";
    const string Gcs = "type=gcs-raw&from_date=2026-08-01&gcs_bucket=b&gcs_region=r";
    const string Azure = "from_date=2026-08-01&storage_account=a&container_name=c&client_id=i&client_secret=HUSH&tenant_id=t";
    const string S3 = "from_date=2026-08-01&s3_bucket=b&s3_region=r&s3_role=o";
    const string BigQuery = "type=bigquery&from_date=2026-08-01&bq_region=r&gcp_project=p&bq_dataset_name=d" + Schema;
    const string Snowflake =
        "type=snowflake&from_date=2026-08-01&snowflake_account_name=a&snowflake_warehouse=w&snowflake_storage_integration=i&snowflake_user=u&snowflake_password=HUSH&snowflake_role=r&snowflake_database=d&snowflake_schema=s"
            + Schema;

    /// <summary>For each type, the required parameters and some optional ones.</summary>
    public static TheoryData<string, string> Types { get; } = new()
    {
        { Gcs, "gcs_prefix=p&trial=true&frequency=hourly&data_source=events&data_format=json&to_date=2026-08-31&where=true&events=a&events=b" },
        { "type=gcs-schema&from_date=2026-08-01&gcs_bucket=b&gcs_region=r" + Schema, "data_source=people&data_format=parquet" },
        { "type=s3-raw&" + S3, "s3_prefix=p&s3_encryption=kms&s3_kms_key_id=k" },
        { "type=aws&" + S3 + Schema, "use_glue=true&glue_database=d&glue_role=r&glue_table_prefix=p&s3_encryption=aes" },
        { "type=azure-raw&" + Azure, "prefix=p" },
        { "type=azure-blob&" + Azure + Schema, "prefix=p&data_format=json" },
        { BigQuery, "bq_prefix=p" },
        { Snowflake, "snowflake_prefix=p" },
    };

    [Theory]
    [MemberData(nameof(Types))]
    public async Task A_type_is_kept_with_what_it_takes_and_needs_what_it_needs(string needed, string taken)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        foreach (var field in needed.Split('&'))
        {
            var refused = await PostAsync(mixpanel, "create", string.Join('&', needed.Split('&').Where(other => other != field)));
            refused.Is(400, $$"""{"error":"missing required parameter: {{field.Split('=')[0]}}","status":"error"}""");
        }

        var created = await PostAsync(mixpanel, "create", $"{needed}&{taken}");

        Assert.Equal(200, created.Status);
        var name = Assert.Single(created.Json.GetProperty("pipeline_names").EnumerateArray()).GetString();
        var jobs = await mixpanel.GetAsync(Pipelines + "/jobs?project_id=1", shared.Owner);
        var job = Assert.Single(jobs.Json.GetProperty("1").EnumerateArray());
        Assert.Equal(name, job.GetProperty("name").GetString());
        Assert.Equal(needed.Contains("sync=true", StringComparison.Ordinal) ? "true" : "false", job.GetProperty("sync_enabled").GetString());
        Assert.DoesNotContain("HUSH", created.Text + jobs.Text, StringComparison.Ordinal);
        var settings = job.GetProperty("settings");
        foreach (var field in $"{needed}&{taken}".Split('&').Select(field => field.Split('=')).Where(field => field[1] != "HUSH"))
        {
            var kept = settings.GetProperty(field[0]);
            Assert.Contains(field[1],
                kept.ValueKind == JsonValueKind.Array ? [.. kept.EnumerateArray().Select(text => text.GetString())] : (string?[])[kept.GetString()],
                StringComparer.Ordinal);
        }
    }

    [Theory]
    [InlineData("create", Gcs + "&gcs_bukket=x", "unknown parameter: gcs_bukket")]
    [InlineData("create", Gcs + "&s3_bucket=x", "unknown parameter: s3_bucket")]
    [InlineData("create", Gcs + "&sync=true", "unknown parameter: sync")]
    [InlineData("create", Gcs + "&azure_client_secret=HUSH", "unknown parameter: azure_client_secret")]
    [InlineData("create", Gcs + "&data_source=people", "invalid data_source: must be events")]
    [InlineData("create", Gcs + "&data_format=parquet", "invalid data_format: must be json")]
    [InlineData("create", Gcs + "&frequency=weekly", "invalid frequency: must be daily, hourly")]
    [InlineData("create", Gcs + "&trial=yes", "invalid trial: must be true or false")]
    [InlineData("create", Gcs + "&to_date=2026-07-31", "invalid to_date: must not be before from_date")]
    [InlineData("create", Gcs + "&to_date=tomorrow", "invalid to_date: must be a date like 2026-01-31")]
    [InlineData("create", Gcs + "&gcs_bucket=c", "gcs_bucket is given twice, with different values")]
    [InlineData("create", "type=gcs&from_date=2026-08-01",
        "invalid type: must be gcs-raw, gcs-schema, s3-raw, aws, azure-raw, azure-blob, bigquery, snowflake")]
    [InlineData("create", "type=s3-raw&s3_encryption=rsa&" + S3, "invalid s3_encryption: must be none, aes, kms")]
    [InlineData("create", BigQuery + "&data_source=users", "invalid data_source: must be events, people")]
    [InlineData("create", BigQuery + "&data_format=csv", "invalid data_format: must be json, parquet")]
    [InlineData("create", BigQuery + "&schema_type=other", "schema_type is given twice, with different values")]
    [InlineData("create", Snowflake + "&client_secret=HUSH", "unknown parameter: client_secret")]
    [InlineData("edit", "where=true", "missing required parameter: name")]
    [InlineData("edit", "name=events-daily-gcs-raw&frequency=hourly", "unknown parameter: frequency")]
    [InlineData("edit", "name=events-daily-gcs-raw&azure_client_secret=HUSH", "unknown parameter: azure_client_secret")]
    [InlineData("cancel", "", "missing required parameter: name")]
    [InlineData("pause", "name=events-daily-gcs-raw&paused=true", "unknown parameter: paused")]
    [InlineData("resume", "nme=events-daily-gcs-raw", "unknown parameter: nme")]
    [InlineData("pause", "name=events-daily-gcs-raw%ff", "the parameters must be UTF-8")]
    [InlineData("edit", "name=events-daily-gcs-raw&where=%ed%a0%80", "the parameters must be UTF-8")]
    public async Task A_form_that_is_wrong_is_refused_by_field_and_changes_nothing(string operation, string form, string error)
    {
        var before = await shared.Mixpanel.GetAsync(Pipelines + "/jobs?project_id=1", shared.Owner);

        var answer = await PostAsync(shared.Mixpanel, operation, form);

        answer.Is(400, $$"""{"error":"{{error}}","status":"error"}""");
        Assert.Equal(before.Text, (await shared.Mixpanel.GetAsync(Pipelines + "/jobs?project_id=1", shared.Owner)).Text);
    }

    [Theory]
    [InlineData("GET", "/status?project_id=1&name=none", null, 404)]
    [InlineData("GET", "/timeline?project_id=1&name=none", null, 404)]
    [InlineData("POST", "/edit?project_id=1", "name=none", 404)]
    [InlineData("POST", "/cancel?project_id=1", "name=none", 404)]
    [InlineData("POST", "/pause?project_id=1", "name=none", 404)]
    [InlineData("POST", "/resume?project_id=1", "name=none", 404)]
    [InlineData("GET", "/status?project_id=1", null, 400)]
    [InlineData("GET", "/status?project_id=1&name=events-daily-gcs-raw&status=done", null, 400)]
    [InlineData("GET", "/status?project_id=1&name=events-daily-gcs-raw&summary=all", null, 400)]
    [InlineData("GET", "/timeline?project_id=1&nme=x", null, 400)]
    [InlineData("GET", "/jobs?project_id=1&name=x", null, 400)]
    [InlineData("GET", "/jobs", null, 400)]
    [InlineData("GET", "/jobs?project_id=9", null, 403)]
    [InlineData("POST", "/pause", "name=events-daily-gcs-raw", 400)]
    [InlineData("POST", "/pause?project_id=1", "name=events-daily-gcs-raw&project_id=2", 400)]
    [InlineData("POST", "/create?project_id=1&client_secret=HUSH", Gcs, 400)]
    public async Task What_is_not_there_or_not_understood_is_refused(string method, string path, string? form, int status)
    {
        var answer = await shared.Mixpanel.SendAsync(new HttpMethod(method), Pipelines + path, form is null ? null : Form(form), shared.Owner);

        Assert.Equal(status, answer.Status);
        Shape.Is("""{"error":"string","status":"=error"}""", answer.Json);
        Assert.DoesNotContain("HUSH", answer.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_body_that_is_no_form_is_not_read_as_one()
    {
        var answer = await shared.Mixpanel.SendAsync(HttpMethod.Post, Pipelines + "/pause?project_id=1",
            new StringContent("""{"name":"events-daily-gcs-raw"}"""), shared.Owner);

        Assert.Equal(415, answer.Status);
    }

    [Fact]
    public async Task A_form_of_another_encoding_is_refused()
    {
        using var form = new StringContent("name=events-daily-gcs-raw");
        form.Headers.ContentType = new("application/x-www-form-urlencoded", "iso-8859-1");

        Assert.Equal(415, (await shared.Mixpanel.SendAsync(HttpMethod.Post, Pipelines + "/pause?project_id=1", form, shared.Owner)).Status);
    }

    [Fact]
    public async Task Nothing_is_exported_so_nothing_has_a_status()
    {
        (await shared.Mixpanel.GetAsync(
            Pipelines + "/status?project_id=1&name=events-daily-gcs-raw&summary=true&status=failed&status[]=running&status%5B%5D=pending", shared.Owner)).Is(
            200, """{"canceled":[],"retried":[],"succeeded":[]}""");
        (await shared.Mixpanel.GetAsync(Pipelines + "/timeline?project_id=1&name=events-daily-gcs-raw", shared.Owner)).Is(200, """{"day_syncs":[]}""");
        (await shared.Mixpanel.GetAsync(Pipelines + "/timeline?project_id=1", shared.Owner)).Is(200, """{"day_syncs":[]}""");
    }

    [Theory]
    [InlineData(Gcs, "where=x&events=a&events=b", "glue_role=r", "")]
    [InlineData("type=aws&" + S3 + Schema, "glue_database=d&glue_role=r&glue_table_prefix=p", "azure_client_id=i", "")]
    [InlineData("type=azure-blob&" + Azure + Schema, "azure_client_id=j&azure_tenant_id=u", "bq_share_with_group=g", "&azure_client_secret=HUSH")]
    [InlineData(BigQuery, "bq_share_with_group=g&bq_share_with_group=h", "glue_role=r", "")]
    public async Task An_edit_changes_what_its_type_has(string created, string edit, string ofAnother, string secret)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        var name = (await PostAsync(mixpanel, "create", created)).Json.GetProperty("pipeline_names")[0].GetString();

        var refused = await PostAsync(mixpanel, "edit", $"name={name}&{ofAnother}");
        (await PostAsync(mixpanel, "edit", $"name={name}&{edit}{secret}")).Is(200, "");

        Assert.Equal((400, true), (refused.Status, refused.Text.Contains(ofAnother.Split('=')[0], StringComparison.Ordinal)));
        var jobs = await mixpanel.GetAsync(Pipelines + "/jobs?project_id=1", shared.Owner);
        Assert.DoesNotContain("HUSH", jobs.Text, StringComparison.Ordinal);
        var settings = jobs.Json.GetProperty("1")[0].GetProperty("settings");
        foreach (var field in edit.Split('&').Select(field => field.Split('=')))
            Assert.Contains(field[1], settings.GetProperty(field[0]).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_pipeline_its_pause_and_its_settings_survive_a_restart_until_it_is_cancelled()
    {
        using var folder = new TemporaryFolder();
        string kept;
        await using (var mixpanel = await LocalMixpanel.StartAsync(options => options with { DataDirectory = folder.Path }))
        {
            (await PostAsync(mixpanel, "create", BigQuery)).Is(200, """{"pipeline_names":["events-daily-bigquery-monoschema"],"bigquery_dataset_name":"d"}""");
            (await PostAsync(mixpanel, "create", BigQuery)).Is(200,
                """{"pipeline_names":["events-daily-bigquery-monoschema-2"],"bigquery_dataset_name":"d"}""");
            (await PostAsync(mixpanel, "pause", "name=events-daily-bigquery-monoschema")).Is(200, "");
            (await PostAsync(mixpanel, "pause", "name=events-daily-bigquery-monoschema")).Is(200, "");
            kept = (await mixpanel.GetAsync(Pipelines + "/jobs?project_id=1", shared.Owner)).Text;
        }

        await using var again = await LocalMixpanel.StartAsync(options => options with { DataDirectory = folder.Path });
        Assert.Equal(kept, (await again.GetAsync(Pipelines + "/jobs?project_id=1", shared.Owner)).Text);
        Assert.Equal([false, true], await PausedAsync());
        (await PostAsync(again, "resume", "name=events-daily-bigquery-monoschema")).Is(200, "");
        Assert.Equal([false, false], await PausedAsync());
        (await PostAsync(again, "cancel", "name=events-daily-bigquery-monoschema")).Is(200, "");
        (await PostAsync(again, "cancel", "name=events-daily-bigquery-monoschema")).Is(404, """{"error":"pipeline not found","status":"error"}""");
        Assert.Equal([false], await PausedAsync());

        async Task<IEnumerable<bool>> PausedAsync() =>
            (await again.GetAsync(Pipelines + "/jobs?project_id=1", shared.Owner)).Json.GetProperty("1").EnumerateArray()
                .Select(job => job.GetProperty("paused").GetBoolean()).Order();
    }

    [Fact]
    public async Task Pipelines_are_of_owners_and_admins()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        var created = await mixpanel.SendAsync(
            HttpMethod.Post, "/api/app/organizations/1/service-accounts",
            new StringContent("""{"username":"u","role":"consumer","projects":[{"id":1,"role":"analyst"}]}"""), shared.Owner);
        var analyst = LocalMixpanel.Basic("u", created.Json.GetProperty("results").GetProperty("token").GetString()!);

        Assert.Equal(403, (await mixpanel.GetAsync(Pipelines + "/jobs?project_id=1", analyst)).Status);
        Assert.Equal(403, (await mixpanel.SendAsync(HttpMethod.Post, Pipelines + "/create?project_id=1", Form(Gcs), analyst)).Status);
    }

    static Task<Answer> PostAsync(LocalMixpanel mixpanel, string operation, string form) =>
        mixpanel.SendAsync(HttpMethod.Post, $"{Pipelines}/{operation}", Form($"project_id=1&{form}"), LocalMixpanel.Basic("local", "local"));

    static StringContent Form(string form) => new(form, new System.Net.Http.Headers.MediaTypeHeaderValue("application/x-www-form-urlencoded"));

    /// <summary>An embedded Mixpanel with one pipeline, <c>events-daily-gcs-raw</c>.</summary>
    public sealed class Shared : IAsyncLifetime
    {
        internal LocalMixpanel Mixpanel { get; private set; } = null!;

        internal System.Net.Http.Headers.AuthenticationHeaderValue Owner { get; } = LocalMixpanel.Basic("local", "local");

        public async ValueTask InitializeAsync()
        {
            Mixpanel = await LocalMixpanel.StartAsync();
            await PostAsync(Mixpanel, "create", Gcs);
        }

        public ValueTask DisposeAsync() => Mixpanel.DisposeAsync();
    }
}
