// A client made from the server's OpenAPI document by openapi-client-axios: calls every operation of an action by its operationId,
// with the example that the document gives, and the ids of what was made before. Arguments: URL [KEY]
const OpenAPIClientAxios = require("openapi-client-axios").default;

// What makes something comes first, what removes it last, and between them what an experiment goes through.
const steps = [/^(create|upload|set)_/, /^launch_/, /^(?!.*(archive|delete|cancel|remove))/, /^archive_/, /^unarchive_/, /./];

(async () => {
  const [url, key] = process.argv.slice(2);
  const api = new OpenAPIClientAxios({
    definition: `${url}/openapi.json`,
    axiosConfigDefaults: { baseURL: url, headers: key ? { Authorization: `Bearer ${key}` } : {}, validateStatus: () => true },
  });
  const client = await api.init();
  const answers = {};
  const made = {};
  const stepOf = (operation) => steps.findIndex((step) => step.test(operation.operationId));
  const operations = api.getOperations().filter((operation) => operation.path.startsWith("/v1/actions/"));
  for (const operation of operations.sort((one, other) => stepOf(one) - stepOf(other))) {
    const name = operation.operationId;
    const input = { ...operation.requestBody.content["application/json"].example };
    for (const field of Object.keys(input)) input[field] = made[field] ?? input[field];
    const { status, data } = await client[name](null, input);
    answers[name] = { status, data };
    const id = data.id ?? data.tracking_id ?? data.import_id;
    const [, thing] = /^create_(?:.*_)?(annotation|experiment|flag|import|deletion|retrieval)$/.exec(name) ?? [];
    if (thing && id !== undefined) made[{ deletion: "tracking_id", retrieval: "tracking_id" }[thing] ?? `${thing}_id`] = id;
  }
  const started = await client.start_import(null, '{"event":"From a client","properties":{"time":1690000000,"distinct_id":"c"}}\n', { headers: { "Content-Type": "application/x-ndjson" } });
  let job = started;
  while (["queued", "running"].includes(job.data.status)) job = await client.get_import(started.data.id);
  console.log(JSON.stringify({ answers, listed: (await client.list_actions()).data.actions.length, import: job.data }));
})().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
