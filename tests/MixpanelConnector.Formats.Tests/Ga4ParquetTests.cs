using System.Text.Json.Nodes;
using DuckDB.NET.Data;

namespace MixpanelConnector.Formats.Tests;

/// <summary>A table of GA4 that BigQuery has extracted as NDJSON, in which integers are text, and as Parquet, in which they are not.</summary>
public sealed class Ga4ParquetTests : IDisposable
{
    const string Value = "STRUCT(string_value VARCHAR, int_value BIGINT, float_value DOUBLE, double_value DOUBLE)";

    /// <summary>The schema of the table events_YYYYMMDD.</summary>
    const string Schema = $$"""
        {event_date: 'VARCHAR', event_timestamp: 'BIGINT', event_name: 'VARCHAR',
        event_params: 'STRUCT(key VARCHAR, value {{Value}})[]',
        event_previous_timestamp: 'BIGINT', event_value_in_usd: 'DOUBLE', event_bundle_sequence_id: 'BIGINT', event_server_timestamp_offset: 'BIGINT',
        user_id: 'VARCHAR', user_pseudo_id: 'VARCHAR',
        privacy_info: 'STRUCT(analytics_storage VARCHAR, ads_storage VARCHAR, uses_transient_token VARCHAR)',
        user_properties: 'STRUCT(key VARCHAR, value STRUCT(string_value VARCHAR, int_value BIGINT, float_value DOUBLE, double_value DOUBLE, set_timestamp_micros BIGINT))[]',
        user_first_touch_timestamp: 'BIGINT', user_ltv: 'STRUCT(revenue DOUBLE, currency VARCHAR)',
        device: 'STRUCT(category VARCHAR, mobile_brand_name VARCHAR, mobile_model_name VARCHAR, mobile_marketing_name VARCHAR, mobile_os_hardware_model VARCHAR, operating_system VARCHAR, operating_system_version VARCHAR, vendor_id VARCHAR, advertising_id VARCHAR, language VARCHAR, is_limited_ad_tracking VARCHAR, time_zone_offset_seconds BIGINT, browser VARCHAR, browser_version VARCHAR, web_info STRUCT(browser VARCHAR, browser_version VARCHAR, hostname VARCHAR))',
        geo: 'STRUCT(city VARCHAR, country VARCHAR, continent VARCHAR, region VARCHAR, sub_continent VARCHAR, metro VARCHAR)',
        app_info: 'STRUCT(id VARCHAR, version VARCHAR, install_store VARCHAR, firebase_app_id VARCHAR, install_source VARCHAR)',
        traffic_source: 'STRUCT(name VARCHAR, medium VARCHAR, source VARCHAR)', stream_id: 'VARCHAR', platform: 'VARCHAR',
        event_dimensions: 'STRUCT(hostname VARCHAR)',
        ecommerce: 'STRUCT(total_item_quantity BIGINT, purchase_revenue_in_usd DOUBLE, purchase_revenue DOUBLE, refund_value DOUBLE, shipping_value DOUBLE, tax_value DOUBLE, unique_items BIGINT, transaction_id VARCHAR)',
        items: 'STRUCT(item_id VARCHAR, item_name VARCHAR, item_brand VARCHAR, item_variant VARCHAR, item_category VARCHAR, price_in_usd DOUBLE, price DOUBLE, quantity BIGINT, item_revenue DOUBLE, coupon VARCHAR, item_list_index VARCHAR, item_params STRUCT(key VARCHAR, value {{Value}})[])[]',
        collected_traffic_source: 'STRUCT(manual_campaign_id VARCHAR, manual_campaign_name VARCHAR, manual_source VARCHAR, manual_medium VARCHAR, manual_term VARCHAR, manual_content VARCHAR, gclid VARCHAR, dclid VARCHAR, srsltid VARCHAR)',
        is_active_user: 'BOOLEAN', batch_event_index: 'BIGINT', batch_page_id: 'BIGINT', batch_ordering_id: 'BIGINT'}
        """;

    /// <summary>As BigQuery extracts it as NDJSON: without what is null, and with empty lists.</summary>
    static readonly string[] Events =
    [
        """{"event_date":"20260301","event_timestamp":"1772352930250999","event_name":"purchase","event_params":[{"key":"ga_session_id","value":{"int_value":"1772352900"}},{"key":"page_location","value":{"string_value":"https://shop.example/ok?a=1&b=\u00e9"}},{"key":"page_title","value":{"string_value":"Thanks \"you\""}},{"key":"value","value":{"double_value":59.9}},{"key":"whole","value":{"double_value":100.0}},{"key":"float","value":{"float_value":0.5}},{"key":"large","value":{"int_value":"9007199254740993"}},{"key":"negative","value":{"int_value":"-7"}},{"key":"unset","value":{"string_value":"(not set)"}},{"key":"blank","value":{"string_value":""}},{"key":"none","value":{}}],"event_previous_timestamp":"1772352929000000","event_value_in_usd":65.5,"event_bundle_sequence_id":"-12","event_server_timestamp_offset":"1000","user_id":"u-7","user_pseudo_id":"1001.2002","privacy_info":{"analytics_storage":"Yes","ads_storage":"No","uses_transient_token":"No"},"user_properties":[{"key":"plan","value":{"string_value":"pro","set_timestamp_micros":"1772352930250000"}},{"key":"visits","value":{"int_value":"3","set_timestamp_micros":"1772352930240000"}},{"key":"score","value":{"double_value":1.25,"set_timestamp_micros":"1772352930240000"}}],"user_first_touch_timestamp":"1772352000000000","user_ltv":{"revenue":59.9,"currency":"EUR"},"device":{"category":"mobile","mobile_brand_name":"Apple","mobile_model_name":"iPhone","operating_system":"iOS","operating_system_version":"18.2","language":"de-de","is_limited_ad_tracking":"No","time_zone_offset_seconds":"3600","web_info":{"browser":"Safari","browser_version":"18.2","hostname":"shop.example"}},"geo":{"city":"(not set)","country":"Germany","continent":"Europe","region":"Berlin","sub_continent":"Western Europe","metro":"(not set)"},"traffic_source":{"name":"(direct)","medium":"(none)","source":"(direct)"},"stream_id":"42","platform":"WEB","ecommerce":{"total_item_quantity":"3","purchase_revenue_in_usd":65.5,"purchase_revenue":59.9,"tax_value":9.0,"unique_items":"2","transaction_id":"T-1"},"items":[{"item_id":"7","item_name":"Shoe","price":9.5,"quantity":"2","item_list_index":"1","item_params":[{"key":"n","value":{"int_value":"5"}},{"key":"s","value":{"string_value":"x"}}]},{"item_id":"8","item_brand":"(not set)","price":40.0,"quantity":"1","item_params":[]}],"collected_traffic_source":{"manual_campaign_id":"c1","manual_campaign_name":"spring","manual_source":"news","manual_medium":"email","gclid":"g-1"},"is_active_user":true,"batch_event_index":"1","batch_page_id":"1772352929000","batch_ordering_id":"2"}""",
        """{"event_date":"20260301","event_timestamp":"1772352931000000","event_name":"page_view","event_params":[],"user_pseudo_id":"1001.2002","user_properties":[],"device":{"category":"desktop"},"geo":{"country":"Atlantis"},"platform":"WEB","items":[],"is_active_user":false}""",
        """{"event_date":"20260301","event_timestamp":"1772352931000000","event_name":"page_view","event_params":[],"user_pseudo_id":"1001.2002","user_properties":[],"items":[]}""",
        """{"event_date":"20260301","event_timestamp":"1772352932000001","event_name":"denied","event_params":[{"key":"ga_session_id","value":{"int_value":"5"}},{"key":"ga_session_number","value":{"int_value":"1"}}],"privacy_info":{"analytics_storage":"No"},"user_properties":[{"key":"plan","value":{"string_value":"free","set_timestamp_micros":"1772352930250000"}}],"app_info":{"id":"com.shop","version":"1.2"},"platform":"ANDROID","items":[]}""",
        """{"event_date":"20260301","event_timestamp":"1772352933000000","event_name":"twice","event_params":[{"key":"ga_session_id","value":{"int_value":"5"}},{"key":"ga_session_id","value":{"int_value":"6"}},{"key":"k","value":{"string_value":"a"}},{"key":"k","value":{"int_value":"2"}}],"user_id":"u-8","user_pseudo_id":"d","user_properties":[{"key":"plan","value":{"string_value":"free","set_timestamp_micros":"1772352930250000"}}],"items":[]}""",
    ];

    readonly ImportRun _run = new();

    public void Dispose() => _run.Dispose();

    /// <summary>The records that an export becomes, with members in order and numbers by value.</summary>
    async Task<List<string>> OfAsync(string file, ImportType type)
    {
        var before = _run.Mixpanel.Stored.Count;
        using var state = new InMemoryImportState();
        var report = await _run.RunAsync(_run.RequestAll(file) with { Mapping = ImportMapping.OfVendor("ga4"), Type = type }, state);
        Assert.True(report is { Rejected: 0, Pending: 0 }, string.Join('\n', report.Problems));
        return
        [
            .. _run.Mixpanel.Stored.Skip(before).Select(record => Canonical(JsonNode.Parse(record))!.ToJsonString()).Order(StringComparer.Ordinal),
            .. report.LeftOut!.Select(reason => $"{reason.Key}: {reason.Value}"),
            .. report.Mapped!.Select(what => $"{what.Key}: {what.Value}"),
        ];
    }

    static JsonNode? Canonical(JsonNode? node) => node switch
    {
        JsonObject members => new JsonObject(members.OrderBy(member => member.Key, StringComparer.Ordinal)
            .Select(member => KeyValuePair.Create(member.Key, Canonical(member.Value)))),
        JsonArray elements => new JsonArray([.. elements.Select(Canonical)]),
        JsonValue value when value.GetValueKind() is System.Text.Json.JsonValueKind.Number =>
            JsonValue.Create(value.GetValue<decimal>() / 1.0000000000000000000000000000m),
        _ => node?.DeepClone(),
    };

    string WriteJson(IEnumerable<string> events) => _run.Folder.Write("events.json", string.Concat(events.Select(record => record + "\n")));

    string WriteParquet(string json, string options = "")
    {
        using var connection = new DuckDBConnection("Data Source=:memory:");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = $"COPY (SELECT * FROM read_json('{json}', format = 'newline_delimited', "
            + $"columns = {Schema})) TO '{_run.Folder.File("events.parquet")}' (FORMAT parquet{options})";
        command.ExecuteNonQuery();
        return _run.Folder.File("events.parquet");
    }

    [Theory]
    [InlineData(ImportType.Events, "")]
    [InlineData(ImportType.Events, ", CODEC zstd, ROW_GROUP_SIZE 2048")]
    [InlineData(ImportType.Profiles, "")]
    public async Task The_same_table_becomes_the_same_records_and_ids_from_Parquet_as_from_JSON(ImportType type, string options)
    {
        var json = WriteJson(Events);
        var expected = await OfAsync(json, type);
        Assert.Equal(expected, await OfAsync(WriteParquet(json, options), type));
        if (type is not ImportType.Events) return;
        Assert.Equal(Events.Length, expected.Count(record => record.StartsWith('{')));
        Assert.Contains(expected,
            record => record.Contains("\"session_id\":\"1001.2002.1772352900\"", StringComparison.Ordinal)
                && record.Contains("\"item_params\":[{\"key\":\"n\",\"value\":{\"int_value\":5}}", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_damaged_record_is_refused_alike_from_Parquet_and_from_JSON()
    {
        var json = WriteJson(["""{"event_timestamp":"1772352930250999","event_params":[],"user_id":"u"}""",
            """{"event_name":"e","event_params":[],"user_id":"u"}""",
            """{"event_name":"e","event_timestamp":"1772352930250999","event_params":[{"key":"k","value":{"string_value":"a","int_value":"6"}}],"user_id":"u"}"""]);
        var codes = new List<string>();
        foreach (var file in (string[])[json, WriteParquet(json)])
        {
            using var state = new InMemoryImportState();
            File.Delete(_run.DeadLetterPath);
            await _run.RunAsync(_run.RequestAll(file) with { Mapping = ImportMapping.OfVendor("ga4") }, state);
            codes.Add(string.Join(' ',
                _run.DeadLetters().Select(letter => $"{letter.GetProperty("code").GetString()}:{letter.GetProperty("field").GetString()}")));
        }

        Assert.Equal(["event_missing:event_name time_missing:event_timestamp invalid_json:event_params", codes[0]], codes);
    }
}
