// The node of connectors/n8n, compiled, does every action against a server, and what is one plain call against Mixpanel itself, as n8n
// has it do: with the example of the catalogue in the fields that n8n shows. n8n itself is in `eng/campaign.sh connectors`.
// Arguments: SERVER MIXPANEL [KEY]
const { buildSync } = require("esbuild");
const { deepStrictEqual, rejects, ok } = require("node:assert");
const { resolve } = require("node:path");
const Module = require("node:module");

class NodeOperationError extends Error {
  constructor(node, error, options = {}) {
    super(options.message ?? (typeof error === "string" ? error : error.message));
    Object.assign(this, { description: options.description, httpCode: options.httpCode, context: { itemIndex: options.itemIndex } });
  }
}
class NodeApiError extends NodeOperationError {
  constructor(node, error, options) {
    super(node, error, options);
    this.errorResponse = error;
  }
}
const n8n = { NodeApiError, NodeOperationError, NodeConnectionTypes: { Main: "main" } };

/** What a source of the package exports, compiled. */
function compiled(path) {
  const { outputFiles } = buildSync({ entryPoints: [resolve(__dirname, "../../../connectors/n8n", path)], bundle: true, write: false, platform: "node", format: "cjs", target: "es2022", external: ["n8n-workflow"], logLevel: "warning" });
  const made = new Module(path);
  made.require = (name) => (name === "n8n-workflow" ? n8n : require(name));
  made._compile(outputFiles[0].text, path);
  return made.exports;
}

const { MixpanelConnector } = compiled("nodes/MixpanelConnector/MixpanelConnector.node.ts");
const { MixpanelServeApi } = compiled("credentials/MixpanelServeApi.credentials.ts");
const { actions } = compiled("nodes/MixpanelConnector/catalogue.ts");
const node = new MixpanelConnector();
const [server, mixpanel, apiKey = ""] = process.argv.slice(2);
const credentials = {
  mixpanelServeApi: { address: `${server}/`, apiKey },
  mixpanelApi: { username: "local", secret: "local", projectId: "1", region: "mixpanel.com", address: mixpanel },
};

/** What n8n shows when these are chosen. */
const shown = (chosen) => node.description.properties.filter(({ displayOptions }) => Object.entries(displayOptions?.show ?? {}).every(([name, values]) => values.includes(chosen[name])));

/** The parameters of a node in which somebody filled in an input. */
function filled(action, input, authentication) {
  const resource = shown({ authentication }).find(({ name }) => name === "resource").options.find(({ value }) => shown({ authentication, resource: value }).some(({ name, options }) => name === "operation" && options.some((one) => one.value === action.name))).value;
  const parameters = { authentication, resource, operation: action.name };
  const left = { ...input };
  const give = (to, property) => {
    if (!(property.name in left)) return;
    to[property.name] = property.type === "json" ? JSON.stringify(left[property.name]) : left[property.name];
    delete left[property.name];
  };
  for (const property of shown(parameters)) {
    if (property.name in parameters) continue;
    parameters[property.name] = property.default;
    if (property.name === "additionalFields") for (const one of property.options) give((parameters.additionalFields = { ...parameters.additionalFields }), one);
    else give(parameters, property);
  }
  deepStrictEqual(left, {}, `${action.name}: fields that n8n does not show`);
  if (action.has_secret) parameters.outputSecret = true;
  return parameters;
}

/** Runs the node as n8n does, and gives what it put out and what it sent. */
async function run(parameters, { items = [{ json: {} }], goesOn = false, type = "n8n-nodes-mixpanel-connector.mixpanelConnector" } = {}) {
  const sent = [];
  const context = {
    getInputData: () => items,
    getNodeParameter: (name, item, otherwise) => parameters[name] ?? otherwise,
    getNode: () => ({ id: "1", name: "Mixpanel", type, typeVersion: 1 }),
    getCredentials: async (name) => credentials[name],
    continueOnFail: () => goesOn,
    helpers: {
      async httpRequestWithAuthentication(name, options) {
        const request = name === "mixpanelServeApi" ? await new MixpanelServeApi().authenticate(credentials[name], options) : { ...options, headers: { ...options.headers, Authorization: `Basic ${btoa("local:local")}` } };
        sent.push(request);
        const response = await fetch(request.url, { method: request.method, redirect: "manual", headers: { ...request.headers, ...(request.body ? { "Content-Type": "application/json" } : {}) }, body: request.body && JSON.stringify(request.body) });
        const text = await response.text();
        return { statusCode: response.status, body: response.headers.get("content-type")?.includes("json") ? JSON.parse(text) : text };
      },
    },
  };
  return { output: await node.execute.call(context), sent };
}

// What makes something comes first, what removes it last, and between them what an experiment goes through.
const steps = [/^(create|upload|set)_/, /^launch_/, /^force_conclude_/, /^(?!.*(archive|delete|cancel|remove))/, /^archive_/, /^unarchive_/, /^remove_/, /./];

(async () => {
  const answers = {};
  const direct = {};
  const made = {};
  const stepOf = ({ name }) => steps.findIndex((step) => step.test(name));
  for (const action of [...actions.values()].sort((one, other) => stepOf(one) - stepOf(other) || (one.name < other.name ? -1 : 1))) {
    const of = /_data_(deletion|retrieval)$/.exec(action.name)?.[1] ?? "";
    const input = JSON.parse(JSON.stringify(action.example), (field, value) => {
      const id = made[`${of}${field.replace(/s$/, "")}`];
      return id === undefined ? value : Array.isArray(value) ? [Number(id)] : typeof value === "number" ? Number(id) : id;
    });
    if ("confirm" in action.input.properties) {
      await rejects(run(filled(action, input, "serve")), (error) => error.httpCode === "400" && /confirm/.test(error.description), action.name);
      if (action.call) await rejects(run(filled(action, input, "mixpanel")), /confirm must be true/, action.name);
      input.confirm = true;
    }
    let data;
    try {
      const { output, sent } = await run(filled(action, input, "serve"));
      deepStrictEqual(output[0][0].pairedItem, { item: 0 });
      deepStrictEqual([sent.length, sent[0].url, sent[0].body], [1, `${server}/v1/actions/${action.name}`, input]);
      data = output[0][0].json;
      answers[action.name] = { status: 200, data };
    } catch (error) {
      if (!(error instanceof NodeApiError)) throw error;
      answers[action.name] = { status: Number(error.httpCode), data: error.errorResponse };
      ok(error.message.length > 0 && error.context.itemIndex === 0);
    }
    const [, thing] = /^create_(?:.*_)?(annotation|experiment|flag|import|service_account)$/.exec(action.name) ?? [];
    if (thing) made[`${thing}_id`] = data.id;
    if (of && action.name.startsWith("create_")) made[`${of}tracking_id`] = data.tracking_id;
    // What reads is the same both ways; what changes is changed again where that can be.
    if (!action.call || !/^(get|list|query|create|update|upload)_/.test(action.name)) continue;
    try {
      const { output } = await run(filled(action, input, "mixpanel"));
      direct[action.name] = { status: 200, data: output[0][0].json };
      if (action.effect === "read") deepStrictEqual(output[0][0].json, data, `${action.name}: another answer without the server`);
    } catch (error) {
      if (!(error instanceof NodeApiError) || answers[action.name].status === 200) throw error;
    }
  }

  // An item that fails is an item of its own where the workflow goes on, and the others are done.
  const bad = { ...filled(actions.get("create_annotation"), { date: "2026-01-31 00:00:00", description: "x" }, "serve"), date: "never" };
  const { output } = await run(bad, { items: [{ json: {} }, { json: {} }], goesOn: true });
  deepStrictEqual(output[0].map(({ pairedItem, json }) => [pairedItem.item, /date/.test(json.error)]), [[0, true], [1, true]]);
  await rejects(run(bad), (error) => error instanceof NodeApiError && error.httpCode === "400");

  // Without a word about it, no secret is made; agents get none, and nothing that cannot be undone.
  const account = filled(actions.get("create_service_account"), { username: "kept" }, "serve");
  await rejects(run({ ...account, outputSecret: false }), /Nothing was sent/);
  await rejects(run(account, { type: "n8n-nodes-mixpanel-connector.mixpanelConnectorTool" }), /not for agents/);
  await rejects(run(filled(actions.get("delete_user_profile"), { distinct_id: "x", confirm: true }, "serve"), { type: "n8n-nodes-mixpanel-connector.mixpanelConnectorTool" }), /not for agents/);

  // The same request under the same key is carried out once.
  const once = { ...filled(actions.get("create_annotation"), { date: "2026-01-31 00:00:00", description: "once" }, "serve"), idempotencyKey: "run-7" };
  deepStrictEqual((await run(once)).output[0][0].json.id, (await run(once)).output[0][0].json.id);

  // A key goes to https, or to this machine.
  await rejects(new MixpanelServeApi().authenticate({ address: "http://mixpanel.example.com", apiKey: "mpk_x" }, {}), /only over https/);

  const fields = Object.fromEntries([...actions.values()].map((action) => {
    const { resource } = filled(action, {}, "serve");
    const all = shown({ authentication: "serve", resource, operation: action.name }).flatMap(({ name, options }) => (name === "additionalFields" ? options.map((one) => one.name) : [name]));
    return [action.name, all.filter((name) => name in action.input.properties).sort()];
  }));
  const first = shown({ authentication: "serve", resource: "essentials" }).find(({ name }) => name === "operation").options.map(({ value }) => value);
  console.log(JSON.stringify({ answers, direct, fields, first }));
})().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
