using System.Buffers;
using System.Reflection;
using System.Text;
using System.Text.Json;
using MixpanelConnector.Tracking.Records;
using MixpanelConnector.Tracking.TypedEvents;
using MixpanelConnector.Tracking.Values;

namespace MixpanelConnector.Generators.Tests;

/// <summary>Generated code writes the same bytes as reflection.</summary>
public sealed class SameBytesTests
{
    public static TheoryData<int> Numbers => [.. Enumerable.Range(0, Samples.All.Count())];

    [Theory, MemberData(nameof(Numbers))]
    public void An_event_has_the_same_name_and_bytes_as_by_reflection(int number)
    {
        var happened = Samples.All.ElementAt(number);
        typeof(SameBytesTests).GetMethod(nameof(Compare), BindingFlags.NonPublic | BindingFlags.Static)!
            .MakeGenericMethod(happened.GetType())
            .Invoke(null, BindingFlags.DoNotWrapExceptions, null, [happened], null);
    }

    static void Compare<T>(T happened)
        where T : IMixpanelEvent<T>
    {
        Assert.Equal(EventName<T>.Value, T.EventName);
        Assert.Equal(Written(new(happened, TrackedContract.Reflected<T>())), Written(new(happened!, EventContract<T>.Instance)));
    }

    /// <summary>The JSON, or the property that cannot be serialized.</summary>
    static string Written(Payload payload)
    {
        var written = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(written, JsonDefaults.WriterOptions);
        try
        {
            payload.WriteTo(json, ofEvent: true);
        }
        catch (UnwritableValueException e)
        {
            return e.Path;
        }

        json.Flush();
        return Encoding.UTF8.GetString(written.WrittenSpan);
    }
}
