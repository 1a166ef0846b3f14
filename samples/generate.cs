// Generates the sample files next to it, always the same: dotnet run samples/generate.cs
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

const int Users = 400, Events = 5000;
var random = new Pcg(20260901);
var start = new DateTimeOffset(2025, 9, 1, 0, 0, 0, TimeSpan.Zero);
string[] firstNames =
[
    "Ada", "Bjørn", "Chloé", "Dário", "Elif", "Fatima", "Goran", "Hana", "Ines", "Jürgen", "Kwame", "Łucja", "Mateo", "Nora", "Olga", "Priya", "Quentin",
    "Rosa", "Sven", "Tomás", "Umar", "Vera", "Wanda", "Yuki", "Zoë",
];
string[] lastNames =
[
    "Almeida", "Berg", "Costa", "Dubois", "Eriksen", "Fischer", "García", "Hoffmann", "Ivanov", "Jansen", "Kowalski", "Lindqvist", "Moreau", "Nakamura",
    "Okafor", "Petrov", "Rossi", "Schneider", "Tanaka", "Weber",
];
(string City, string Country)[] places =
[
    ("Zürich", "CH"), ("Berlin", "DE"), ("Lisbon", "PT"), ("Kraków", "PL"), ("Lyon", "FR"), ("Oslo", "NO"), ("Chicago", "US"), ("Austin", "US"),
    ("São Paulo", "BR"), ("Nairobi", "KE"), ("Osaka", "JP"), ("Pune", "IN"),
];
string[] plans = ["free", "free", "free", "pro", "pro", "team"];
(string Name, decimal Price, string Category)[] products =
[
    ("Pour-over kettle", 59.90m, "kitchen"),
    ("Desk lamp", 42.50m, "home"),
    ("Trail shoes", 119.00m, "outdoor"),
    ("Notebook, dotted", 12.80m, "office"),
    ("Rain jacket", 149.95m, "outdoor"),
    ("Chess set", 34.00m, "games"),
    ("Headphones", 199.00m, "audio"),
    ("Olive oil 1 l", 18.40m, "food"),
];
string[] browsers = ["Firefox", "Chrome", "Safari", "Edge"];

var users = Enumerable.Range(1, Users).Select(number =>
{
    var (first, last) = (Pick(firstNames), Pick(lastNames));
    var (city, country) = places[random.Next(places.Length)];
    return new User($"user-{number:0000}", first, last, Ascii($"{first}.{last}.{number}@example.com").ToLowerInvariant(), Pick(plans), city, country,
        start.AddDays(random.Next(20)).AddSeconds(random.Next(86400)));
}).ToArray();

Write("events.ndjson", Enumerable.Range(0, Events).Select(_ => Event()).OrderBy(e => (long)e["properties"]!["time"]!).Select(Line));
Write("profiles.ndjson", users.Select(Profile).Select(Line).Concat(users.Where((_, i) => i % 10 == 0).Select(user => Line(new JsonObject
{
    ["$distinct_id"] = user.Id,
    ["$union"] = new JsonObject { ["interests"] = new JsonArray(products[random.Next(products.Length)].Category, "news") },
}))));
Write("events-with-errors.ndjson", WithErrors());

JsonObject Event()
{
    var user = users[random.Next(Users)];
    var time = user.Joined.AddSeconds(random.Next(40 * 86400));
    var product = products[random.Next(products.Length)];
    var quantity = 1 + random.Next(3);
    var properties = new JsonObject { ["time"] = time.ToUnixTimeMilliseconds(), ["distinct_id"] = user.Id };
    if (random.Next(4) > 0)
        properties["$insert_id"] = Guid.CreateVersion7(time).ToString("N")[..13] + random.Next(int.MaxValue).ToString("x8", CultureInfo.InvariantCulture)
            + random.Next(int.MaxValue).ToString("x8", CultureInfo.InvariantCulture);
    properties["$browser"] = Pick(browsers);
    properties["$city"] = user.City;
    properties["mp_country_code"] = user.Country;
    properties["plan"] = user.Plan;
    var name = random.Next(20) switch
    {
        0 => "Signed In",
        < 10 => "Page Viewed",
        < 15 => "Product Viewed",
        < 18 => "Product Added",
        18 => "Order Placed",
        _ => "Support Ticket Opened",
    };
    switch (name)
    {
        case "Page Viewed":
            properties["path"] = Pick(["/", "/products", "/pricing", "/about", "/blog/how-we-roast"]);
            properties["$duration"] = random.Next(24000) / 100m;
            break;
        case "Product Viewed" or "Product Added":
            properties["product"] = product.Name;
            properties["category"] = product.Category;
            properties["price"] = product.Price;
            break;
        case "Order Placed":
            properties["total"] = product.Price * quantity;
            properties["currency"] = user.Country is "US" ? "USD" : "EUR";
            properties["coupon"] = random.Next(5) == 0 ? "AUTUMN10" : null;
            properties["items"] = new JsonArray(new JsonObject { ["product"] = product.Name, ["quantity"] = quantity, ["price"] = product.Price });
            break;
        case "Support Ticket Opened":
            properties["topic"] = Pick(["delivery", "return", "invoice", "other"]);
            properties["first_contact"] = random.Next(2) == 0;
            break;
    }

    return new JsonObject { ["event"] = name, ["properties"] = properties };
}

JsonObject Profile(User user) => new()
{
    ["$distinct_id"] = user.Id,
    ["$properties"] = new JsonObject
    {
        ["$name"] = $"{user.First} {user.Last}",
        ["$email"] = user.Email,
        ["$city"] = user.City,
        ["$country_code"] = user.Country,
        ["$created"] = user.Joined.ToString("yyyy-MM-ddTHH:mm:ss", CultureInfo.InvariantCulture),
        ["plan"] = user.Plan,
        ["orders"] = random.Next(12),
        ["newsletter"] = random.Next(2) == 0,
    },
};

IEnumerable<string> WithErrors()
{
    var faults = new Queue<Func<JsonObject, string>>(
    [
        e => With(e, p => p.Remove("distinct_id")),
        e => With(e, p => p["time"] = "2025-09-14T10:00:00Z"),
        e => Line(e)[..^9],
        e => With(e, p => p["distinct_id"] = "undefined"),
        e => With(e, p => p["$insert_id"] = "not allowed!"),
        e => { e["event"] = ""; return Line(e); },
        e => With(e, p => p["time"] = 4102444800),
        e => { e.Remove("properties"); return Line(e); },
        e => Line(e).Replace("\"distinct_id\":", "\"distinct_id\":\"twice\",\"distinct_id\":", StringComparison.Ordinal),
        e => With(e, p => { for (var i = 0; i < 260; i++) p[$"column_{i}"] = i; }),
        e => With(e, p => p["deep"] = JsonNode.Parse("""{"a":{"b":{"c":{"d":1}}}}""")),
        e => "",
        e => With(e, p => p.Remove("time")),
    ]);
    for (var i = 0; i < 200; i++) yield return i % 15 == 7 && faults.TryDequeue(out var fault) ? fault(Event()) : Line(Event());
}

string With(JsonObject e, Action<JsonObject> change)
{
    change(e["properties"]!.AsObject());
    return Line(e);
}

T Pick<T>(T[] from) => from[random.Next(from.Length)];

static string Line(JsonObject json) => json.ToJsonString(new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

static string Ascii(string text) => string.Concat(text.Normalize(NormalizationForm.FormD).Where(char.IsAscii)).Replace(' ', '-');

static void Write(string name, IEnumerable<string> lines, [System.Runtime.CompilerServices.CallerFilePath] string here = "") =>
    File.WriteAllText(Path.Combine(Path.GetDirectoryName(here)!, name), string.Join('\n', lines) + "\n");

sealed record User(string Id, string First, string Last, string Email, string Plan, string City, string Country, DateTimeOffset Joined);

/// <summary>A small random number generator with a fixed sequence, so that the samples are the same on every machine and runtime.</summary>
sealed class Pcg(ulong seed)
{
    ulong _state = seed;

    public int Next(int below)
    {
        _state = unchecked((_state * 6364136223846793005UL) + 1442695040888963407UL);
        return (int)((_state >> 33) % (ulong)below);
    }
}
