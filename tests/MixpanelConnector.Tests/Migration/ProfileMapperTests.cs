using System.Text;
using MixpanelConnector.Import.Decode;
using MixpanelConnector.Migration;
using Record = MixpanelConnector.Import.Decode.Record;

namespace MixpanelConnector.Tests.Migration;

/// <summary>The conversion of an exported profile before it is sent to another project.</summary>
public sealed class ProfileMapperTests
{
    [Theory]
    [InlineData(false,
        """{"$distinct_id":"u","$properties":{"$last_seen":"2026-01-01T00:00:00","n":1.50,"$geo_source":"x","a":{"$geo_source":1},"$mp_first_event_time":"y"}}""",
        """{"$distinct_id":"u","$ignore_time":true,"$set":{"$last_seen":"2026-01-01T00:00:00","n":1.50,"a":{"$geo_source":1}}}""")]
    [InlineData(false, """{"$properties":{},"$distinct_id":4}""", """{"$distinct_id":"4","$ignore_time":true,"$set":{}}""")]
    [InlineData(true, """{"$distinct_id":"g\u00e9","$properties":{"\u0024geo_source":1,"size":3}}""", """{"$group_id":"g\u00e9","$set":{"size":3}}""")]
    public void It_sets_the_properties_but_those_that_Mixpanel_sets(bool ofGroups, string line, string sent) => Assert.Equal((sent, null), Map(ofGroups, line));

    [Theory]
    [InlineData("""{"$distinct_id":"u"}""")]
    [InlineData("""{"$properties":{}}""")]
    [InlineData("""{"$distinct_id":null,"$properties":{}}""")]
    [InlineData("""{"$distinct_id":"u","$properties":{}} x""")]
    [InlineData("7")]
    public void What_is_no_profile_is_refused_as_it_came(string line) => Assert.Equal((line, "invalid_json"), Map(ofGroups: false, line));

    static (string Made, string? Code) Map(bool ofGroups, string line)
    {
        var mapper = new ProfileMapper(ofGroups);
        Assert.True(mapper.Begin(new Record { Kind = RecordKind.Json, Bytes = Encoding.UTF8.GetBytes(line), Offset = 0, Line = 1 }));
        Assert.True(mapper.TryNext(out var record, out _));
        return (Encoding.UTF8.GetString(record.Bytes), record.Rejection?.Code);
    }
}
