// A client generated from the server's OpenAPI document by openapi-client-axios: calls every action's operation by its operationId,
// with the example in the document, and the ids of what was created before. Arguments: URL [KEY]
const OpenAPIClientAxios = require("openapi-client-axios").default;

// Actions that create something come first, those that delete it last, and the steps of an experiment in between.
const steps = [/^(create|upload|set)_/, /^launch_/, /^force_conclude_/, /^(?!.*(archive|delete|cancel|remove))/, /^archive_/, /^unarchive_/, /^remove_/, /./];

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
    const example = JSON.stringify(operation.requestBody.content["application/json"].example ?? {});
    const of = /_data_(deletion|retrieval)$/.exec(name)?.[1] ?? "";
    const input = JSON.parse(example, (field, value) => {
      const id = made[`${of}${field.replace(/s$/, "")}`];
      return id === undefined ? value : Array.isArray(value) ? [Number(id)] : typeof value === "number" ? Number(id) : id;
    });
    const { status, data } = await client[name](null, input);
    answers[name] = { status, data };
    const [, thing] = /^create_(?:.*_)?(annotation|experiment|flag|import|service_account)$/.exec(name) ?? [];
    if (thing) made[`${thing}_id`] = data.id;
    if (of && name.startsWith("create_")) made[`${of}tracking_id`] = data.tracking_id;
  }
  const started = await client.start_import(null, '{"event":"From a client","properties":{"time":1690000000,"distinct_id":"c"}}\n', { headers: { "Content-Type": "application/x-ndjson" } });
  let job = started;
  while (["queued", "running"].includes(job.data.status)) job = await client.get_import(started.data.id);
  console.log(JSON.stringify({ answers, listed: (await client.list_actions()).data.actions.length, import: job.data }));
})().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
