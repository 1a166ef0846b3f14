using System.Globalization;
using System.Text;

namespace MixpanelConnector.Bench;

/// <summary>
/// The events of all measurements: NDJSON, 15 properties, the same for every run. Each is exactly
/// <see cref="EventLength"/> bytes, so that the sink can compute the number of events from a body's length without reading it. This also
/// holds when a program parses and serializes them again, because their numbers have no superfluous digits.
/// </summary>
static class EventFile
{
    public const int EventLength = 580;

    static readonly string[] Names = ["Page Viewed", "Product Added", "Checkout Started", "Signed In", "Search Performed"];
    static readonly string[] Cities = ["Zürich", "Berlin", "San Francisco", "東京", "São Paulo", "Nairobi"];
    static readonly string[] Browsers = ["Chrome", "Safari", "Firefox", "Edge"];

    public static void Write(string path, int count, bool gzip = false, int length = EventLength)
    {
        using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 20);
        using Stream stream = gzip ? new System.IO.Compression.GZipStream(file, System.IO.Compression.CompressionLevel.Fastest) : file;
        foreach (var line in Lines(count, length)) stream.Write(line);
    }

    /// <summary>The events, each with its line end.</summary>
    public static IEnumerable<byte[]> Lines(int count, int length = EventLength)
    {
        var random = new Random(580);
        for (var i = 0; i < count; i++)
        {
            var time = 1_790_000_000L - random.Next(86_400 * 30);
            var head = string.Create(CultureInfo.InvariantCulture,
                $$$"""{"event":"{{{Names[random.Next(Names.Length)]}}}","properties":{"time":{{{time}}},"distinct_id":"user-{{{random.Next(1_000_000):d8}}}","$insert_id":"{{{random.NextInt64():x16}}}-{{{i:x16}}}","$browser":"{{{Browsers[random.Next(Browsers.Length)]}}}","$browser_version":{{{random.Next(90, 140)}}},"$city":"{{{Cities[random.Next(Cities.Length)]}}}","$os":"Mac OS X","$screen_height":{{{random.Next(600, 2160)}}},"$screen_width":{{{random.Next(800, 3840)}}},"mp_lib":"web","$current_url":"https://www.example.com/products/{{{random.Next(100_000)}}}/reviews?sort=newest&page={{{random.Next(50)}}}","$referrer":"https://www.example.com/search?q=item{{{random.Next(10_000)}}}","price":{{{((random.Next(10_000) * 10) + random.Next(1, 10)) / 100.0:0.00}}},"is_member":{{{(random.Next(2) == 0 ? "true" : "false")}}},"note":" """)[..^1];
            var text = new StringBuilder(head);
            var missing = length - Encoding.UTF8.GetByteCount(head) - 3;
            for (var j = 0; j < missing; j++) text.Append((char)('a' + random.Next(26)));
            yield return Encoding.UTF8.GetBytes(text.Append("\"}}\n").ToString());
        }
    }

    /// <summary>The number of events in a JSON array of <paramref name="bodyLength"/> bytes.</summary>
    public static long CountOf(long bodyLength, int eventLength) => (bodyLength - 1) / (eventLength + 1);
}
