using System.Text;
using MixpanelConnector.Import.Decode;
using MixpanelConnector.Import.Map;
using MixpanelConnector.Migration;
using Record = MixpanelConnector.Import.Decode.Record;

namespace MixpanelConnector.Tests.Migration;

/// <summary>The conversion of a line of an export before it is sent to another project.</summary>
public sealed class EventMapperTests
{
    [Theory]
    [InlineData("""{"event":"A","properties":{"time":1790841600000,"distinct_id":"u","$insert_id":"i","n":1.50,"t":"\u00e9\/"}}""", null)]
    [InlineData("""{"event":"A","properties":{"time":1790841600000,"mp_processing_time_ms":1,"$mp_api_timestamp_ms":1,"$mp_api_endpoint":"x","$mp_event_size":1,"$import":true,"$warehouse_type":"a","$is_reshuffled":true,"$preshuffle_distinct_id":"x","$failure_reason":"y","$failure_description":"z","$identity_failure_reason":"q","distinct_id":"u"}}""",
        """{"event":"A","properties":{"time":1790841600000,"distinct_id":"u"}}""")]
    [InlineData("""{ "properties" : {"\u0024import" : true , "a" : {"$import":1,"mp_processing_time_ms":2} , "time" : 1790841600000 } , "event" : "A" }""",
        """{"properties":{"a" : {"$import":1,"mp_processing_time_ms":2},"time" : 1790841600000},"event":"A"}""")]
    [InlineData("""{"event":"$hotshard_events","properties":{"mp_original_event_name":"Real \u0022x\u0022","mp_original_distinct_id":"u1","time":1790841600000,"distinct_id":""}}""",
        """{"event":"Real \u0022x\u0022","properties":{"time":1790841600000,"distinct_id":"u1"}}""")]
    [InlineData("""{"event":"$hotshard_events","properties":{"time":1790841600000,"mp_original_event_name":"Real","mp_original_distinct_id":"u1"}}""",
        """{"event":"Real","properties":{"time":1790841600000,"distinct_id":"u1"}}""")]
    [InlineData("""{"event":"A","properties":{"time":1790841600000,"mp_original_event_name":"own","distinct_id":"u"}}""", null)]
    [InlineData("""{"event":"$hotshard_events","properties":{"time":1790841600000,"distinct_id":"u"}}""", null)]
    [InlineData("""{"event":"A","properties":{},"else":1}""", null)]
    [InlineData("""{"event":7,"properties":{"time":1}}""", null)]
    [InlineData("""{"event":"A","properties":[]}""", null)]
    [InlineData("""{"event":"A","properties":{"time":1000000000}}""", """{"event":"A","properties":{"time":1000000}}""")]
    public void What_Mixpanel_added_is_gone_and_all_else_keeps_its_bytes(string line, string? sent) => Assert.Equal((sent ?? line, null, null), Map(line));

    [Theory]
    [InlineData("""{"event":"$identify","properties":{"time":1790841600000,"distinct_id":"u"}}""")]
    [InlineData("""{"event":"$create_alias","properties":{"time":1790841600000,"distinct_id":"u"}}""")]
    [InlineData("""{"event":"\u0024merge","properties":{"time":1790841600000,"distinct_id":"u"}}""")]
    [InlineData("""{"event":"$hotshard_events","properties":{"mp_original_event_name":"$merge","time":1790841600000}}""")]
    public void What_merged_users_is_left_out(string line) => Assert.Equal("identity_event", Map(line).LeftOut);

    [Theory]
    [InlineData("""{"event":"A","properties":{"time":1""", "invalid_json")]
    [InlineData("[1]", "invalid_json")]
    [InlineData("""{"event":"A","properties":{"\ud800":1}}""", "invalid_utf8")]
    public void What_is_no_event_is_refused_as_it_came(string line, string code) => Assert.Equal((line, null, code), Map(line));

    [Theory]
    [InlineData("Europe/Berlin", "2026-07-01T12:00:00Z", "2026-07-01T10:00:00Z", false)]
    [InlineData("Europe/Berlin", "2026-01-01T12:00:00Z", "2026-01-01T11:00:00Z", false)]
    [InlineData("Europe/Berlin", "2026-03-29T02:30:00Z", "2026-03-29T01:30:00Z", false)] // does not exist: 03:30 by the clocks
    [InlineData("Europe/Berlin", "2026-10-25T02:30:00Z", "2026-10-25T00:30:00Z", true)] // exists twice: the first
    [InlineData("Asia/Kolkata", "2026-10-25T02:30:00Z", "2026-10-24T21:00:00Z", false)]
    [InlineData("America/New_York", "2026-11-01T01:30:00Z", "2026-11-01T05:30:00Z", true)]
    [InlineData("UTC", "2026-11-01T01:30:00Z", "2026-11-01T01:30:00Z", false)]
    public void Times_by_the_clocks_of_a_zone_become_true(string zone, string written, string meant, bool isAmbiguous)
    {
        var mapper = new EventMapper(TimeZoneInfo.FindSystemTimeZoneById(zone), duplicates: null);
        var (made, output) = Make(mapper, $$$"""{"event":"A","properties":{"distinct_id":"u","time":{{{Milliseconds(written)}}}}}""");
        Assert.Equal(($$$"""{"event":"A","properties":{"distinct_id":"u","time":{{{Milliseconds(meant)}}}}}""", isAmbiguous), (made, output.IsAmbiguous));
    }

    static long Milliseconds(string time) => DateTimeOffset.Parse(time, System.Globalization.CultureInfo.InvariantCulture).ToUnixTimeMilliseconds();

    static (string Made, string? LeftOut, string? Code) Map(string line)
    {
        IRecordMapper mapper = new EventMapper(zone: null, duplicates: null);
        Assert.True(mapper.Begin(new Record { Kind = RecordKind.Json, Bytes = Encoding.UTF8.GetBytes(line), Offset = 0, Line = 1 }));
        Assert.True(mapper.TryNext(out var record, out var output));
        return (Encoding.UTF8.GetString(record.Bytes), output.LeftOut, record.Rejection?.Code);
    }

    static (string Made, MapOutput Output) Make(EventMapper mapper, string line)
    {
        Assert.True(mapper.Begin(new Record { Kind = RecordKind.Json, Bytes = Encoding.UTF8.GetBytes(line), Offset = 0, Line = 1 }));
        Assert.True(mapper.TryNext(out var record, out var output));
        return (Encoding.UTF8.GetString(record.Bytes), output);
    }
}
