using System.Text.Json;
using System.Text.Json.Nodes;

namespace MixpanelConnector.EndToEnd;

/// <summary>The JSON schema of mappings, applied by a third-party validator, agrees with the program.</summary>
public sealed class MappingSchemaTests
{
    /// <summary>Mappings that the program refuses but the schema cannot express: rules on the content of a text, or on another member.</summary>
    static readonly string[] BeyondSchemas = ["is not a path:", "is not one of the mapping's lookups", "is not an encoding of the", "is set twice"];

    static readonly string[] Right =
    [
        .. ImportMapping.Vendors.Select(vendor => ImportMapping.OfVendor(vendor).Json),
        """{"name":"x","events":{"event":"a","time":"b"}}""",
        """{"name":"x","tables":{"manifests":["m*.json"],"folders":[]},"lookups":{"l":{"file":"*","key":{"first":["a",{"path":"b","split":{"at":","}}]},"value":{"text":"{c}"}}},"events":{"event":"a","time":"b"}}""",
        """{"$schema":"mapping.schema.json","name":"x","documentation":"here","ignore":["*.txt"],"profiles":{"id":"a","set_once":{}}}""",
        """{"name":"x","rows":{"delimiter":"tab","quote":null,"escape":"\\","columns":["a"],"types":"shown"},"groups":{"id":"a","set":{"properties":{"$name":"b"}},"unset":"c"}}""",
        """{"name":"x","events":{"event":{"path":"a","table":{"b":"c","d":null,"e":1,"f":{"path":"g"}},"else":"h"},"time":{"path":"b","unit":"s"},"insert_id":["i",{"hash":["j"],"counted":false}],"spread":"k","none":"-"}}""",
        """{"name":"x","events":{"event":"a","time":"b","leave_out":[{"when":{"path":"c","present":true},"reason":"d","looked_up":true}],"spread":{"from":"c","key":"k","value":"v","required":true}}}""",
        """{"name":"x","events":{"event":"a","time":"b","leave_out":[{"when":{"path":"c","exists":false},"reason":"d"},{"when":{"first":["c",{"path":"d"}],"exists":true},"reason":"d"}],"spread":{"from":"c","used":["d"]}}}""",
        """{"name":"x","events":{"event":{"text":"a {b} } c"},"time":"b","properties":{"p":{"path":"a","split":{"at":"x","take":1.0}},"q":{"value":[1,{"r":null}]},"{group_key}":"s"}}}""",
    ];

    static readonly string[] Wrong =
    [
        "[]",
        "7",
        "{}",
        """{"name":"x"}""",
        """{"name":"","events":{"event":"a","time":"b"}}""",
        """{"name":"Shop","events":{"event":"a","time":"b"}}""",
        """{"name":"1shop","events":{"event":"a","time":"b"}}""",
        """{"name":7,"events":{"event":"a","time":"b"}}""",
        """{"name":"x","event":{"event":"a","time":"b"},"events":{"event":"a","time":"b"}}""",
        """{"name":"x","$schema":7,"events":{"event":"a","time":"b"}}""",
        """{"name":"x","documentation":["a"],"events":{"event":"a","time":"b"}}""",
        """{"name":"x","ignore":"a","events":{"event":"a","time":"b"}}""",
        """{"name":"x","ignore":[7],"events":{"event":"a","time":"b"}}""",
        """{"name":"x","events":[]}""",
        """{"name":"x","events":null}""",
        """{"name":"x","events":{"event":"a"}}""",
        """{"name":"x","events":{"time":"a"}}""",
        """{"name":"x","events":{"event":"","time":"b"}}""",
        """{"name":"x","events":{"event":7,"time":"b"}}""",
        """{"name":"x","events":{"event":"a","time":"b","userid":"c"}}""",
        """{"name":"x","events":{"event":"a","time":"b","spread":{"from":"c","used":"d"}}}""",
        """{"name":"x","events":{"event":"a","time":"b","leave_out":[{"when":{"path":"c","exists":"no"},"reason":"d"}]}}""",
        """{"name":"x","events":{"event":"a","time":"b","leave_out":[{"when":{"path":"c","exists":false,"present":false},"reason":"d"}]}}""",
        """{"name":"x","events":{"event":{"path":"a","value":1},"time":"b"}}""",
        """{"name":"x","events":{"event":{},"time":"b"}}""",
        """{"name":"x","events":{"event":{"when":{"path":"a","present":true}},"time":"b"}}""",
        """{"name":"x","events":{"event":{"path":""},"time":"b"}}""",
        """{"name":"x","events":{"event":{"first":[]},"time":"b"}}""",
        """{"name":"x","events":{"event":{"text":"a {b"},"time":"b"}}""",
        """{"name":"x","events":{"event":{"text":"a {}"},"time":"b"}}""",
        """{"name":"x","events":{"event":{"hash":[]},"time":"b"}}""",
        """{"name":"x","events":{"event":{"hex64":["a"]},"time":"b"}}""",
        """{"name":"x","events":{"event":"a","time":{"clock":{"original":"a","sent":"b"}}}}""",
        """{"name":"x","events":{"event":"a","time":{"path":"b","unit":"h"}}}""",
        """{"name":"x","events":{"event":{"path":"a","unit":"h"},"time":"b"}}""",
        """{"name":"x","events":{"event":{"path":"a","as":"int"},"time":"b"}}""",
        """{"name":"x","events":{"event":{"path":"a","else":"b"},"time":"b"}}""",
        """{"name":"x","events":{"event":{"path":"a","table":["b"]},"time":"b"}}""",
        """{"name":"x","events":{"event":{"path":"a","table":{"b":["c"]}},"time":"b"}}""",
        """{"name":"x","events":{"event":{"path":"a","split":{"take":1}},"time":"b"}}""",
        """{"name":"x","events":{"event":{"path":"a","split":{"at":""}},"time":"b"}}""",
        """{"name":"x","events":{"event":{"path":"a","split":{"at":"x","take":-1}},"time":"b"}}""",
        """{"name":"x","events":{"event":{"path":"a","split":{"at":"x","take":1000}},"time":"b"}}""",
        """{"name":"x","events":{"event":{"path":"a","split":{"at":"x","take":0.5}},"time":"b"}}""",
        """{"name":"x","events":{"event":{"path":"a","none":[null]},"time":"b"}}""",
        """{"name":"x","events":{"event":{"path":"a","when":null},"time":"b"}}""",
        """{"name":"x","events":{"event":{"path":"a","when":{"path":"b"}},"time":"b"}}""",
        """{"name":"x","events":{"event":{"path":"a","when":{"path":"b","first":["c"]}},"time":"b"}}""",
        """{"name":"x","events":{"event":{"path":"a","when":{"path":"b","equals":1,"in":[1]}},"time":"b"}}""",
        """{"name":"x","events":{"event":{"path":"a","when":{"path":"b","equals":[1]}},"time":"b"}}""",
        """{"name":"x","events":{"event":{"path":"a","when":{"path":"b","in":1}},"time":"b"}}""",
        """{"name":"x","events":{"event":{"path":"a","when":{"path":"b","present":"yes"}},"time":"b"}}""",
        """{"name":"x","events":{"event":{"path":"a","when":{"first":[],"present":true}},"time":"b"}}""",
        """{"name":"x","events":{"event":{"path":"a","when":{"not":{"path":"b","present":true},"path":"b"}},"time":"b"}}""",
        """{"name":"x","events":{"event":{"path":"a","when":{"all":{"path":"b","present":true}}},"time":"b"}}""",
        """{"name":"x","events":{"event":{"path":"a","when":{"equals":1,"present":true}},"time":"b"}}""",
        """{"name":"x","events":{"event":"a","time":"b","insert_id":{"hash":["c"],"when":{"path":"d","present":true}}}}""",
        """{"name":"x","events":{"event":"a","time":"b","insert_id":{"hash":[]}}}""",
        """{"name":"x","events":{"event":"a","time":"b","insert_id":{"hash":["c"],"counted":"yes"}}}""",
        """{"name":"x","events":{"event":"a","time":"b","leave_out":{"when":{"path":"c","present":true},"reason":"d"}}}""",
        """{"name":"x","events":{"event":"a","time":"b","leave_out":[{"when":{"path":"c","present":true}}]}}""",
        """{"name":"x","events":{"event":"a","time":"b","leave_out":[{"when":{"path":"c","present":true},"reason":"two words"}]}}""",
        """{"name":"x","events":{"event":"a","time":"b","leave_out":[{"when":{"path":"c","present":true},"reason":"d","refuse":"e"}]}}""",
        """{"name":"x","events":{"event":"a","time":"b","properties":{"time":"c"}}}""",
        """{"name":"x","events":{"event":"a","time":"b","properties":{"$insert_id":"c"}}}""",
        """{"name":"x","events":{"event":"a","time":"b","properties":["c"]}}""",
        """{"name":"x","events":{"event":"a","time":"b","spread":""}}""",
        """{"name":"x","events":{"event":"a","time":"b","spread":[["c"]]}}""",
        """{"name":"x","events":{"event":"a","time":"b","spread":{"key":"c"}}}""",
        """{"name":"x","events":{"event":"a","time":"b","spread":{"from":"c","group":"yes"}}}""",
        """{"name":"x","events":{"event":"a","time":"b","spread":{"from":"c","names":{"d":7}}}}""",
        """{"name":"x","events":{"event":"a","time":"b","spread":{"from":"c","keep":"d"}}}""",
        """{"name":"x","events":{"event":"a","time":"b","spread":{"from":"c","key":"k","required":false}}}""",
        """{"name":"x","events":{"event":"a","time":"b","spread":{"from":"c","value":"v","required":"yes"}}}""",
        """{"name":"x","events":{"event":"a","time":"b","leave_out":[{"when":{"path":"c","present":true},"reason":"d","looked_up":1}]}}""",
        """{"name":"x","events":{"event":"a","time":"b","leave_out":[{"when":{"path":"c","present":true},"refuse":"d","looked_up":false}]}}""",
        """{"name":"x","profiles":{"id":"a"}}""",
        """{"name":"x","profiles":{"set":{"spread":"a"}}}""",
        """{"name":"x","profiles":{"id":"a","set":"b"}}""",
        """{"name":"x","groups":{"id":"a","set":{"names":{}}}}""",
        """{"name":"x","groups":{"id":"a","set":{},"unset":["b"]}}""",
        """{"name":"x","rows":[],"events":{"event":"a","time":"b"}}""",
        """{"name":"x","rows":{"delimiter":"ab"},"events":{"event":"a","time":"b"}}""",
        """{"name":"x","rows":{"escape":""},"events":{"event":"a","time":"b"}}""",
        """{"name":"x","rows":{"types":"all"},"events":{"event":"a","time":"b"}}""",
        """{"name":"x","rows":{"types":null},"events":{"event":"a","time":"b"}}""",
        """{"name":"x","tables":["a"],"events":{"event":"a","time":"b"}}""",
        """{"name":"x","tables":{"folders":"a"},"events":{"event":"a","time":"b"}}""",
        """{"name":"x","tables":{"files":["a"]},"events":{"event":"a","time":"b"}}""",
        """{"name":"x","lookups":[],"events":{"event":"a","time":"b"}}""",
        """{"name":"x","lookups":{"l":{"file":"f","key":"k"}},"events":{"event":"a","time":"b"}}""",
        """{"name":"x","lookups":{"l":{"file":"f","key":"","value":"v"}},"events":{"event":"a","time":"b"}}""",
        """{"name":"x","lookups":{"l":{"file":"f","key":"k","value":"v","records":"no"}},"events":{"event":"a","time":"b"}}""",
        """{"name":"x","lookups":{"l":{"file":"f","key":"k","value":"v","follow":{"file":"g"}}},"events":{"event":"a","time":"b"}}""",
    ];

    [Fact]
    public async Task The_schema_takes_what_the_program_takes_and_refuses_what_it_refuses()
    {
        var mappings = Right.Concat(Wrong).ToList();
        var verdicts = await VerdictsAsync(mappings);

        for (var i = 0; i < mappings.Count; i++)
        {
            Assert.True((RefusalOf(mappings[i]) is null) == i < Right.Length, $"{mappings[i]}\nThe program: {RefusalOf(mappings[i]) ?? "takes it"}");
            Assert.True(verdicts[i] == i < Right.Length, $"{mappings[i]}\nThe schema: {verdicts[i]}");
        }
    }

    [Fact]
    public async Task They_agree_on_tables_of_vendors_in_which_anything_was_changed()
    {
        var random = new Random(28);
        var mappings = Enumerable.Range(0, 3000).Select(i => Changed(Right[i % ImportMapping.Vendors.Count], random)).ToList();
        var verdicts = await VerdictsAsync(mappings);
        var differ = mappings.Select((mapping, i) => (Mapping: mapping, IsTaken: verdicts[i], Refusal: RefusalOf(mapping)))
            .Where(one => one.IsTaken != one.Refusal is null
                && !(one.IsTaken && BeyondSchemas.Any(reason => one.Refusal!.Contains(reason, StringComparison.Ordinal)))).ToList();

        Assert.True(differ.Count == 0,
            $"{differ.Count} differ. The schema {(differ.Count > 0 && differ[0].IsTaken ? "takes" : "refuses")}, "
            + $"and the program says {differ.FirstOrDefault().Refusal ?? "nothing"}:\n{differ.FirstOrDefault().Mapping}");
        Assert.InRange(verdicts.Count(taken => taken), 300, 2700);
    }

    static async Task<List<bool>> VerdictsAsync(IReadOnlyList<string> mappings)
    {
        using var home = new Home();
        using var node = Run.Start("node",
            [Repository.File("tests/EndToEnd/clients/mappings.cjs"), Repository.File("docs/vendors/mapping.schema.json"),
                home.Write("mappings.json", $"[{string.Join(",\n", mappings)}]")],
            home);
        var done = await Run.EndAsync(node);
        Assert.True(done.ExitCode == 0, done.ToString());
        return [.. JsonDocument.Parse(done.Output).RootElement.EnumerateArray().Select(verdict => verdict.GetBoolean())];
    }

    static string? RefusalOf(string mapping)
    {
        try
        {
            ImportMapping.Parse(mapping);
            return null;
        }
        catch (MixpanelException e)
        {
            return e.Message;
        }
    }

    /// <summary>The mapping with one value changed or removed, or with an additional member.</summary>
    static string Changed(string mapping, Random random)
    {
        string[] values = ["null", "true", "0", "1.5", "\"\"", "\"a\"", "\"{\"", "[]", "[\"a\"]", "{}", "{\"path\":\"a\"}", "[[]]", "[null]"];
        string[] names =
        [
            "path", "value", "first", "text", "hash", "hex64", "clock", "when", "none", "table", "else", "split", "lookup", "as", "unit", "all", "any", "not",
            "equals", "in", "present", "exists", "same_as", "refuse", "reason", "counted", "group", "names", "keep", "drop", "used", "time", "other",
        ];
        var root = JsonNode.Parse(mapping)!;
        var places = new List<JsonNode>();
        Collect(root);
        var place = places[random.Next(places.Count)];
        var value = JsonNode.Parse(values[random.Next(values.Length)]);
        if (place is JsonObject members)
        {
            var name = random.Next(3) == 0 || members.Count == 0 ? names[random.Next(names.Length)] : members.ElementAt(random.Next(members.Count)).Key;
            if (random.Next(4) == 0) members.Remove(name);
            else members[name] = value;
        }
        else if (place is JsonArray list)
        {
            if (list.Count > 0 && random.Next(3) == 0) list.RemoveAt(random.Next(list.Count));
            else if (list.Count > 0 && random.Next(2) == 0) list[random.Next(list.Count)] = value;
            else list.Add(value);
        }

        return root.ToJsonString();

        void Collect(JsonNode? node)
        {
            if (node is null or JsonValue) return;
            places.Add(node);
            foreach (var inner in node is JsonObject inners ? inners.Select(member => member.Value) : node.AsArray()) Collect(inner);
        }
    }
}
