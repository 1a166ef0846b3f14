// A client made from the server's OpenAPI document by openapi-client-axios: calls every operation of an action by its operationId,
// with the example that the document gives. Arguments: URL [KEY]
const OpenAPIClientAxios = require("openapi-client-axios").default;

(async () => {
  const [url, key] = process.argv.slice(2);
  const api = new OpenAPIClientAxios({
    definition: `${url}/openapi.json`,
    axiosConfigDefaults: { baseURL: url, headers: key ? { Authorization: `Bearer ${key}` } : {}, validateStatus: () => true },
  });
  const client = await api.init();
  const answers = {};
  for (const operation of api.getOperations()) {
    if (!operation.path.startsWith("/v1/actions/")) continue;
    const answer = await client[operation.operationId](null, operation.requestBody.content["application/json"].example);
    answers[operation.operationId] = { status: answer.status, data: answer.data };
  }
  const started = await client.start_import(null, '{"event":"From a client","properties":{"time":1690000000,"distinct_id":"c"}}\n', { headers: { "Content-Type": "application/x-ndjson" } });
  let job = started;
  while (["queued", "running"].includes(job.data.status)) job = await client.get_import(started.data.id);
  console.log(JSON.stringify({ answers, listed: (await client.list_actions()).data.actions.length, import: job.data }));
})().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
