using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.OpenApi;
using MixpanelConnector.Tool.Surfaces.Docs;
using MixpanelConnector.Tool.Surfaces.Http.Imports;

namespace MixpanelConnector.Tool.Surfaces.Http;

/// <summary>The OpenAPI document: the entries of the routes and the schemas of the catalogue, validated and written by Microsoft.OpenApi.</summary>
static class OpenApi
{
    const string Imports = "Imports";
    const string Server = "Server";

    const string Description = """
        Mixpanel's operations, each at its own URL, and bulk imports as jobs.

        The response of an action is the same JSON as on the command line and in .NET. If Mixpanel rejects data, the response has status 200 and says what was rejected and why; every other failure is a problem object (RFC 9457) whose `kind` identifies it and whose `field` locates it.

        Requests that change data may carry an `Idempotency-Key`: the same request with the same key is executed once, and gets the same response for 24 hours.
        """;

    static readonly (string Status, string Description)[] Problems =
    [
        ("400", "The input is not valid, or the request cannot be read. Nothing was sent."),
        ("401", "No key, or an unknown one; or Mixpanel did not accept the server's credentials (kind unauthorized)."),
        ("403", "The key may only read, or the request comes from another site; or the server's credentials do not allow this (kind forbidden)."),
        ("404", "Mixpanel does not know what was requested, or there is nothing at this URL."),
        ("409", "The first request with this Idempotency-Key is still running or was interrupted, or the import's status does not allow this."),
        ("413", "The request is too large."),
        ("415", "The content type or the content encoding is not supported."),
        ("422", "Mixpanel refused the request, or the Idempotency-Key was used with a different one."),
        ("429", "Too many requests: from this caller (kind too_often), or from the server to Mixpanel (kind rate_limited). Retry-After says when to retry."),
        ("500", "The server failed. Its log has details under the id in X-Request-Id."),
        ("502", "The response does not match Mixpanel's documentation."),
        ("503", "The server is busy, or Mixpanel is unavailable. Retry-After says when to retry."),
        ("504", "Mixpanel did not respond in time. Whether a change took effect is unknown."),
        ("507", "The server's disk has no space for the body, or cannot be written to."),
    ];

    static readonly Lazy<byte[]> Made = new(Make);

    /// <summary>The document in OpenAPI 3.1, created on first use.</summary>
    public static ReadOnlyMemory<byte> Document() => Made.Value;

    static byte[] Make()
    {
        var composed = Compose();
        SpecifyIntegers(composed);
        var read = OpenApiDocument.Parse(composed.ToJsonString(), "json");
        if (read.Diagnostic?.Errors.Concat(read.Diagnostic.Warnings).FirstOrDefault() is { } fault)
            throw new InvalidOperationException($"The OpenAPI document is not valid: {fault.Pointer}: {fault.Message}");
        var text = new StringWriter(CultureInfo.InvariantCulture) { NewLine = "\n" };
        read.Document!.SerializeAsV31(new OpenApiJsonWriter(text));
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    /// <summary>Says that integers have 64 bits: without a format, generated clients make them 32-bit ones.</summary>
    static void SpecifyIntegers(JsonNode? node)
    {
        if (node is JsonArray list)
        {
            foreach (var item in list) SpecifyIntegers(item);
        }
        else if (node is JsonObject schema)
        {
            foreach (var (name, value) in schema)
                if (name is not ("example" or "default" or "enum")) SpecifyIntegers(value); // which are data
            var isInteger = schema["type"] switch
            {
                JsonArray types => types.Any(type => (string?)type == "integer"),
                JsonValue type => (string?)type == "integer",
                _ => false, // a property of this name
            };
            if (isInteger) schema.TryAdd("format", "int64");
        }
    }

    public static JsonObject Action(ActionDescriptor action)
    {
        var type = ActionNames.Pascal(action.Name);
        var changes = action.Effect is not ActionEffect.Read;
        var operation = Operation(action.Name, action.Group.Title, ActionNames.Title(action),
            $"{XmlDocs.Summary(action)}\n\n{XmlDocs.Remarks(action)}{Facts(action)}",
            changes ? "400 401 403 404 409 413 415 422 429 500 502 503 504 507" : "400 401 403 404 413 415 422 429 500 502 503 504",
            "200", Content("Mixpanel's result.", Answers.Json, Reference($"{type}Output")));
        if (changes) operation["parameters"] = new JsonArray(Parameter("idempotencyKey"));
        var body = Content(null, Answers.Json, Reference($"{type}Input"));
        if (Example(action) is { } example) body["content"]![Answers.Json]!["example"] = example;
        body["required"] = true;
        operation["requestBody"] = body;
        return operation;
    }

    public static JsonObject ListOfActions() =>
        Operation("list_actions", Server, "List the actions",
            "Every action with its schemas, its effect, the credential that it needs, Mixpanel's limit that it counts against, and an example.",
            "401 403 429 500 503", "200", Content("The actions.", Answers.Json, new JsonObject
            {
                ["type"] = "object",
                ["required"] = new JsonArray("actions"),
                ["properties"] = new JsonObject { ["actions"] = new JsonObject { ["type"] = "array", ["items"] = new JsonObject { ["type"] = "object" } } },
            }));

    public static JsonObject StartImport() => WithRecords(
        Operation("start_import", Imports, "Start an import",
            "Accepts a body of records of any size and imports them as a job. The body is streamed to the server's disk, "
            + "and the import is acknowledged once it is there: from then on it resumes after a crash or a restart. An incomplete body is not acknowledged, "
                + "and nothing of it is imported: send it again. The body may be compressed with gzip or zstd.",
            "400 401 403 409 415 422 429 500 503 507", "202", Content("The import is accepted.", Answers.Json, Reference("Import"))),
            Parameter("idempotencyKey"));

    public static JsonObject InspectImport() => WithRecords(
        Operation("inspect_import", Imports, "Inspect records before importing them",
            "Accepts the beginning of a body, of at most 64 MB, and reports what an import with the same parameters would see in its first 1000 records: "
            + "the format, the columns with samples, what would be rejected and why, and tested parameters that would help. Sends and stores nothing.",
            "400 401 403 413 415 422 429 500 503 507", "200",
            Content("The result, as from mixpanel import --inspect.", Answers.Json, new JsonObject { ["type"] = "object" })));

    public static JsonObject ShowMapping() => WithRecords(
        Operation("show_mapping", Imports, "Show what a mapping makes of records",
            "Accepts the beginning of a body, of at most 64 MB, and returns its first records before and after the mapping of `vendor` or `mapping`: "
            + "what would be sent, or why nothing would be. Sends and stores nothing.",
            "400 401 403 413 415 422 429 500 503 507", "200",
            Content("The records, as from mixpanel import --show-mapping.", Answers.Json, MappedRecordsSchema())),
            Parameter(ImportParameters.ShowMapping));

    static JsonObject MappedRecordsSchema() => new()
    {
        ["type"] = "object",
        ["required"] = new JsonArray("records"),
        ["properties"] = new JsonObject
        {
            ["records"] = new JsonObject
            {
                ["type"] = "array",
                ["items"] = new JsonObject
                {
                    ["type"] = "object",
                    ["required"] = new JsonArray("source", "line", "before", "after"),
                    ["properties"] = new JsonObject
                    {
                        ["source"] = new JsonObject { ["type"] = "string", ["description"] = "The body, or the file in it if it is an archive." },
                        ["line"] = new JsonObject { ["type"] = "integer", ["description"] = "From 1." },
                        ["before"] = new JsonObject { ["description"] = "The record as it was read; text if it is not JSON." },
                        ["after"] = new JsonObject
                        {
                            ["type"] = "array",
                            ["description"] = "The records that it becomes, in order.",
                            ["items"] = new JsonObject
                            {
                                ["type"] = "object",
                                ["properties"] = new JsonObject
                                {
                                    ["record"] = new JsonObject { ["type"] = "object", ["description"] = "The record that would be sent." },
                                    ["left_out"] = new JsonObject { ["type"] = "string", ["description"] = "The reason why it is left out." },
                                    ["code"] = new JsonObject { ["type"] = "string", ["description"] = "Why it would be rejected." },
                                    ["message"] = new JsonObject { ["type"] = "string", ["description"] = "The same in words." },
                                },
                            },
                        },
                    },
                },
            },
            ["problem"] = new JsonObject { ["type"] = "string", ["description"] = "Why no more are shown, if the body cannot be read." },
        },
    };

    static JsonObject Parameter((string Name, JsonObject Schema, string Description) parameter) =>
        new() { ["name"] = parameter.Name, ["in"] = "query", ["description"] = parameter.Description, ["schema"] = parameter.Schema.DeepClone() };

    /// <summary>An operation that accepts records, with the parameters of an import.</summary>
    static JsonObject WithRecords(JsonObject operation, params JsonNode[] parameters)
    {
        var content = new JsonObject();
        foreach (var type in ImportParameters.ContentTypes.Keys) content[type] = new JsonObject { ["schema"] = new JsonObject() };
        operation["parameters"] = new JsonArray(
        [
            .. parameters,
            .. ImportParameters.All.Select(Parameter),
        ]);
        operation["requestBody"] = new JsonObject { ["required"] = true, ["description"] = "The records.", ["content"] = content };
        return operation;
    }

    public static JsonObject ListOfImports() =>
        Operation("list_imports", Imports, "List the imports",
            "The latest first. For each caller at most 1000 are kept, and 100 dry runs; those with dead letters are not removed automatically.",
            "401 403 429 500 503", "200", Content("The imports.", Answers.Json, new JsonObject
            {
                ["type"] = "object",
                ["required"] = new JsonArray("imports"),
                ["properties"] = new JsonObject { ["imports"] = new JsonObject { ["type"] = "array", ["items"] = Reference("Import") } },
            }));

    public static JsonObject GetImport() =>
        OfImport("get_import", "Get an import", "Its status and progress.", "401 403 404 429 500 503", "200",
            Content("The import.", Answers.Json, Reference("Import")));

    public static JsonObject DeleteImport()
    {
        var operation = OfImport("remove_import", "Remove or cancel an import",
            "Stops a running or queued import; it can be resumed. One that has ended is removed, with its dead letters.", "401 403 404 409 429 500 503 507",
            "202", Content("The import stops.", Answers.Json, Reference("Import")));
        operation["responses"]!["204"] = new JsonObject { ["description"] = "The import is removed." };
        return operation;
    }

    public static JsonObject CancelImport()
    {
        var operation = OfImport("cancel_import", "Cancel an import", "Stops a running or queued import, and does nothing else; it can be resumed.",
            "401 403 404 409 415 429 500 503 507", "202", Content("The import stops.", Answers.Json, Reference("Import")));
        operation["requestBody"] = Content("An empty object.", Answers.Json, new JsonObject { ["type"] = "object", ["additionalProperties"] = false });
        return operation;
    }

    public static JsonObject ResumeImport()
    {
        var operation = OfImport("resume_import", "Resume an import",
            "Queues an import again that was stopped, cancelled or marked as failed. It continues from where it was.", "401 403 404 409 415 429 500 503 507",
            "202", Content("The import is in the queue.", Answers.Json, Reference("Import")));
        operation["requestBody"] = Content("An empty object.", Answers.Json, new JsonObject { ["type"] = "object", ["additionalProperties"] = false });
        return operation;
    }

    public static JsonObject DeadLetters() =>
        OfImport("get_dead_letters", "Download the dead letters",
            "Every record of an ended import that was not accepted, one JSON object per line, with its reason. `mixpanel import --replay` accepts the file.",
            "401 403 404 409 429 500 503", "200", Content("The dead letters.", "application/x-ndjson", new JsonObject { ["type"] = "string" }));

    public static JsonObject Self() =>
        Open("get_openapi", "This document", "This description of the server, for programs.",
            Content("OpenAPI 3.1.", Answers.Json, new JsonObject { ["type"] = "object" }));

    public static JsonObject Reference() =>
        Open("get_reference", "This document as a page", "The same as a web page for people.",
            Content("A page.", "text/html", new JsonObject { ["type"] = "string" }));

    public static JsonObject AboutServer() =>
        Operation("get_server", Server, "What the server is connected to", "The project that it uses, and what the caller may do.", "401 403 429 500 503",
            "200", Content("The server.", Answers.Json, new JsonObject
            {
                ["type"] = "object",
                ["required"] = new JsonArray("mixpanel", "scope", "version"),
                ["properties"] = new JsonObject
                {
                    ["mixpanel"] = new JsonObject
                    {
                        ["type"] = "string",
                        ["enum"] = new JsonArray("real", "embedded"),
                        ["description"] = "Whether it is the real Mixpanel or the embedded one.",
                    },
                    ["region"] = new JsonObject { ["type"] = new JsonArray("string", "null"), ["description"] = "Where Mixpanel stores the data: us, eu or in." },
                    ["project_id"] = new JsonObject { ["type"] = new JsonArray("integer", "null"), ["description"] = "The project, if one is configured." },
                    ["organization_id"] = new JsonObject
                    {
                        ["type"] = new JsonArray("integer", "null"),
                        ["description"] = "The organization, if one is configured.",
                    },
                    ["scope"] = new JsonObject { ["type"] = "string", ["enum"] = new JsonArray("read", "write"), ["description"] = "What the caller may do." },
                    ["version"] = new JsonObject { ["type"] = "string", ["description"] = "The version of the server." },
                },
            }));

    public static JsonObject Live() =>
        Operation("watch", Server, "Watch what happens",
            "A stream of JSON lines, for at most ten minutes: `imports` whenever an import progresses, and on a server without keys `terminal`, "
            + "the imports that `mixpanel import` is running; with the embedded Mixpanel also what its project receives, "
                + "as the total counts `accepted` and `rejected`, and the latest `events` and `rejections`, at most four times per second; "
                    + "`first` and `last` are the times of the earliest and the latest event, `today` contains today's rejections by reason. "
                        + "The first line has the `time_zone` that defines days, the `names` of the stored events, "
                            + "and what was received in each of the last `seconds`. An empty line means that nothing happened for a while.",
            "401 403 500 503", "200", Content("The stream.", "application/x-ndjson", new JsonObject { ["type"] = "string" }));

    public static JsonObject Health() =>
        Open("get_health", "Whether the server is alive", "Costs nothing, and responds under any load.", Content("It is alive.", Answers.Json, Status()));

    public static JsonObject Ready()
    {
        var operation = Open("get_readiness", "Whether the server accepts requests",
            "It does unless it is stopping or cannot write its state. Mixpanel is not contacted.", Content("It does.", Answers.Json, Status()));
        operation["responses"]!["503"] = new JsonObject { ["$ref"] = "#/components/responses/503" };
        return operation;
    }

    static JsonObject Compose()
    {
        var paths = new JsonObject();
        foreach (var route in Routes.All())
        {
            if (route.Operation is null) continue;
            if (paths[route.Pattern] is not JsonObject path) paths[route.Pattern] = path = [];
            path[route.Method.ToLowerInvariant()] = route.Operation();
        }

        var schemas = new JsonObject { ["Problem"] = ProblemSchema(), ["Import"] = ImportSchema() };
        foreach (var action in ActionCatalogue.Actions)
        {
            var type = ActionNames.Pascal(action.Name);
            schemas[$"{type}Input"] = Titled($"Input of {action.Name}", ActionRoutes.InputSchema(action));
            schemas[$"{type}Output"] = Titled($"Output of {action.Name}", action.OutputSchema(XmlDocs.Describe));
        }

        var responses = new JsonObject();
        foreach (var (status, description) in Problems)
        {
            var response = Content(description, Answers.ProblemJson, Reference("Problem"));
            if (status is "429" or "503")
                response["headers"] = new JsonObject
                {
                    ["Retry-After"] = new JsonObject
                    {
                        ["description"] = "Seconds after which to retry.",
                        ["schema"] = new JsonObject { ["type"] = "integer" },
                    },
                };
            responses[status] = response;
        }

        return new JsonObject
        {
            ["openapi"] = "3.1.1",
            ["info"] = new JsonObject
            {
                ["title"] = "Mixpanel Connector",
                ["version"] = "1.0.0",
                ["description"] = Description,
                ["contact"] = new JsonObject { ["name"] = "Mixpanel Connector" },
                ["license"] = new JsonObject { ["name"] = "MIT", ["identifier"] = "MIT" },
            },
            ["servers"] = new JsonArray(new JsonObject { ["url"] = "/", ["description"] = "The server that serves this document." }),
            ["security"] = new JsonArray(new JsonObject { ["key"] = new JsonArray() }, new JsonObject()),
            ["tags"] = new JsonArray(
            [
                .. ActionCatalogue.Groups.Select(group => (JsonNode)Tag(group.Title, group.About)),
                Tag(Imports, "Bulk imports as jobs."),
                Tag(Server, "The server itself."),
            ]),
            ["paths"] = paths,
            ["components"] = new JsonObject
            {
                ["schemas"] = schemas,
                ["responses"] = responses,
                ["parameters"] = new JsonObject
                {
                    ["idempotencyKey"] = new JsonObject
                    {
                        ["name"] = Idempotency.Header,
                        ["in"] = "header",
                        ["description"] = "Visible ASCII characters or spaces, chosen by the caller for this one request: sent again with the same key, "
                            + "it is executed once and gets the same response. A one-time secret is in the first response only.",
                        ["schema"] = new JsonObject { ["type"] = "string", ["minLength"] = 1, ["maxLength"] = 255, ["pattern"] = "^[ -~]+$" },
                    },
                },
                ["securitySchemes"] = new JsonObject
                {
                    ["key"] = new JsonObject
                    {
                        ["type"] = "http",
                        ["scheme"] = "bearer",
                        ["description"] = "A key of the server, created with `mixpanel serve new-key`; the scope read allows only what changes nothing, "
                            + "write everything. A server on loopback without keys needs none.",
                    },
                },
            },
        };
    }

    /// <summary>A required member with a default may be omitted; an example includes it, for tools that validate strictly against the schema.</summary>
    public static JsonObject? Example(ActionDescriptor action) =>
        XmlDocs.Example(action) is { } example ? WithDefaults(JsonNode.Parse(example)!.AsObject(), ActionRoutes.InputSchema(action)) : null;

    static JsonObject WithDefaults(JsonObject example, JsonObject schema)
    {
        foreach (var (name, property) in schema["properties"]!.AsObject())
        {
            if ((property!["default"] ?? property["const"]) is { } value && !example.ContainsKey(name)) example[name] = value.DeepClone();
        }

        return example;
    }

    static string Facts(ActionDescriptor action)
    {
        var effect = action.Effect switch
        {
            ActionEffect.Read => "Changes nothing.",
            ActionEffect.Delete => "Removes or replaces something irreversibly.",
            _ when action.IsRepeatable => $"Changes data; idempotent.{(action.CanBeUndone ? "" : " It cannot be undone.")}",
            ActionEffect.Create => "Creates something new each time; use an Idempotency-Key.",
            _ => $"Changes data each time; use an Idempotency-Key.{(action.CanBeUndone ? "" : " It cannot be undone.")}",
        };
        return $"\n\n{effect}{(action.HasSecret ? " The response contains a secret that is shown only once." : "")}";
    }

    static JsonObject OfImport(string id, string summary, string description, string problems, string status, JsonObject answer)
    {
        var operation = Operation(id, Imports, summary, description, problems, status, answer);
        operation["parameters"] = new JsonArray(new JsonObject
        {
            ["name"] = "id",
            ["in"] = "path",
            ["required"] = true,
            ["description"] = "The id of the import.",
            ["schema"] = new JsonObject { ["type"] = "string" },
        });
        return operation;
    }

    static JsonObject Open(string id, string summary, string description, JsonObject answer)
    {
        var operation = Operation(id, Server, summary, description, "421", "200", answer);
        operation["security"] = new JsonArray();
        return operation;
    }

    static JsonObject Operation(string id, string tag, string summary, string description, string problems, string status, JsonObject answer)
    {
        var responses = new JsonObject { [status] = answer };
        foreach (var problem in problems.Split(' '))
            responses[problem] = problem == "421"
                ? Content("The request is for another host.", Answers.ProblemJson, Reference("Problem"))
                : new JsonObject { ["$ref"] = $"#/components/responses/{problem}" };
        var operation = new JsonObject { ["operationId"] = id, ["tags"] = new JsonArray(tag), ["summary"] = summary, ["description"] = description };
        operation["responses"] = responses;
        return operation;
    }

    static JsonObject Content(string? description, string type, JsonObject schema)
    {
        var content = new JsonObject { ["content"] = new JsonObject { [type] = new JsonObject { ["schema"] = schema } } };
        if (description is not null) content.Insert(0, "description", description);
        return content;
    }

    static JsonObject Reference(string schema) => new() { ["$ref"] = $"#/components/schemas/{schema}" };

    static JsonObject Parameter(string name) => new() { ["$ref"] = $"#/components/parameters/{name}" };

    static JsonObject Tag(string name, string description) => new() { ["name"] = name, ["description"] = description };

    static JsonObject Status() =>
        new()
        {
            ["type"] = "object",
            ["required"] = new JsonArray("status"),
            ["properties"] = new JsonObject { ["status"] = new JsonObject { ["type"] = "string" } },
        };

    static JsonObject Titled(string title, JsonObject schema)
    {
        schema.Insert(0, "title", title);
        // The writer turns the constant into a string; its description says that it must be true.
        (schema["properties"]![ActionRoutes.Confirm] as JsonObject)?.Remove("const");
        SayWhatIsFree(schema);
        return schema;
    }

    /// <summary>Makes it explicit that an object accepts further properties, and a list any items: tools differ in their defaults.</summary>
    static void SayWhatIsFree(JsonNode? node)
    {
        if (node is JsonArray items)
        {
            foreach (var item in items) SayWhatIsFree(item);
        }
        else if (node is JsonObject schema)
        {
            foreach (var (_, member) in schema.ToList()) SayWhatIsFree(member);
            if (schema["type"] is not JsonValue type || type.GetValueKind() is not System.Text.Json.JsonValueKind.String) return;
            var free = (string?)type switch { "object" => "additionalProperties", "array" => "items", _ => null };
            if (free is not null && !schema.ContainsKey(free)) schema[free] = new JsonObject();
        }
    }

    static JsonObject Field(string type, string description) => new() { ["type"] = type, ["description"] = description };

    static JsonObject ProblemSchema() => new()
    {
        ["title"] = "Problem",
        ["description"] = "A failure, as defined by RFC 9457.",
        ["type"] = "object",
        ["required"] = new JsonArray("type", "title", "status", "detail", "kind"),
        ["properties"] = new JsonObject
        {
            ["type"] = Field("string", "The kind as a URN."),
            ["title"] = Field("string", "The kind in words."),
            ["status"] = Field("integer", "The HTTP status."),
            ["detail"] = Field("string", "Where it went wrong, and what to do next."),
            ["kind"] = Field("string", "The kind for programs to act on, such as invalid_input or rate_limited."),
            ["field"] = Field("string", "The path in the input, or the name of the setting or header, that is invalid."),
            ["request_id"] = Field("string", "The id that Mixpanel gave the request, if it gave one: for questions to its support."),
        },
    };

    static JsonObject ImportSchema() => new()
    {
        ["title"] = "Import",
        ["description"] = "An import as a job.",
        ["type"] = "object",
        ["required"] = new JsonArray("id", "status", "type", "name", "source_id", "created", "bytes", "dry_run"),
        ["properties"] = new JsonObject
        {
            ["id"] = Field("string", "Its id."),
            ["status"] = new JsonObject
            {
                ["type"] = "string",
                ["enum"] = new JsonArray([.. Enum.GetNames<JobStatus>().Select(name => (JsonNode)name.ToLowerInvariant())]),
                ["description"] = "finished: every record is accounted for. stopped, cancelled and failed can be resumed; "
                    + "failed are those that crashed the server, or did not end.",
            },
            ["type"] = Field("string", "The kind of records."),
            ["name"] = Field("string", "Its name."),
            ["source_id"] = Field("string", "The id of the body in computed ids."),
            ["created"] = new JsonObject { ["type"] = "string", ["format"] = "date-time", ["description"] = "When it was accepted." },
            ["bytes"] = Field("integer", "The size of the body as it was sent."),
            ["dry_run"] = Field("boolean", "Whether nothing is sent: the report says what Mixpanel would reject."),
            ["progress"] = Field("object",
                "The progress of the current run: read, accepted and rejected records, requests, retries, input_bytes of the body, elapsed_seconds, "
                + "and whether sending is paused."),
            ["report"] = Field("object", "The report once it has ended, as from mixpanel import: read = accepted + rejected + pending + blank."),
            ["problem"] = Field("string", "Why it is not finished, or what was not accepted, and what to do next."),
        },
    };
}
