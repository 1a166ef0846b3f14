using System.Text;
using System.Text.Json;
using MixpanelConnector.Flags;
using MixpanelConnector.Testing;

namespace MixpanelConnector.Tests.Flags;

/// <summary>The answers of the official SDKs for the same flags and contexts.</summary>
public sealed class VectorTests
{
    static readonly JsonElement Cases = JsonElement.Parse(File.ReadAllBytes(Repository.File("tests/Cases/flags/vectors.json")));

    public static TheoryData<string, string> Vectors()
    {
        var data = new TheoryData<string, string>();
        foreach (var vector in Cases.GetProperty("vectors").EnumerateArray()) data.Add(vector.GetProperty("id").GetString()!, vector.GetRawText());
        return data;
    }

    [Fact]
    public void Hashes_fall_where_those_of_the_SDKs_fall() => Assert.All(Cases.GetProperty("hashes").EnumerateArray(), expected =>
        Assert.Equal(expected.GetProperty("bucket").GetInt32() / 100.0,
            FlagHash.Share(FlagHash.Of(Encoding.UTF8.GetBytes(expected.GetProperty("key").GetString()!)),
                Encoding.UTF8.GetBytes(expected.GetProperty("salt").GetString()!))));

    [Theory]
    [MemberData(nameof(Vectors))]
    public void A_flag_gives_a_context_what_the_SDKs_give_it(string id, string text)
    {
        var vector = JsonElement.Parse(text);
        var flag = vector.GetProperty("flag");
        List<string> leftOut = [];
        var set = FlagReader.Read(Encoding.UTF8.GetBytes($$"""{"flags":[{{flag.GetRawText()}}]}"""), leftOut)!;
        Assert.Empty(leftOut);

        var evaluation = set.Evaluate(flag.GetProperty("key").GetString()!, EvaluationContext.FromJson(vector.GetProperty("context")));

        if (vector.TryGetProperty("free", out _)) return; // nobody agrees: any answer, and no exception
        var expected = vector.GetProperty("expect");
        Assert.Equal((id, expected.GetProperty("variant").GetString()), (id, evaluation.VariantKey));
        Assert.Equal(expected.GetProperty("enabled").GetBoolean(), evaluation.IsEnabled);
        Assert.Equal(expected.GetProperty("qa").GetBoolean(), evaluation.IsTestUser);
        if (evaluation.Value is { } value) Assert.True(JsonElement.DeepEquals(expected.GetProperty("value"), value));
        if (expected.TryGetProperty("reason", out var reason) && reason.GetString() is { } why)
            Assert.Equal(why, JsonNamingPolicy.SnakeCaseUpper.ConvertName(evaluation.Reason.ToString()!));
    }
}
