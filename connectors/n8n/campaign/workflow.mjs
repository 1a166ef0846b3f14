// Writes what n8n is given: a workflow that runs the actions that most workflows are about, one after the other, and the credentials of a
// server and of the embedded Mixpanel behind it. Arguments: FOLDER SERVER MIXPANEL
import { writeFileSync } from "node:fs";
import { join } from "node:path";

const [folder, server, mixpanel] = process.argv.slice(2);
const time = Math.floor(Date.now() / 1000) - 3600;
const steps = [
  ["Track", "track_event", { event: "Tracked by n8n", properties: JSON.stringify({ time, distinct_id: "n8n-1", $insert_id: "n8n-track-1" }) }],
  ["Import", "import_events", { strict: "1", events: JSON.stringify([1, 2, 3].map((n) => ({ event: "Imported by n8n", properties: { time, distinct_id: `n8n-${n}`, $insert_id: `n8n-import-${n}` } }))), properties: '={{ { "source": "n8n" } }}' }],
  ["Set", "set_user_properties", { distinct_id: "n8n-1", properties: '{"plan":"pro"}' }, "user-profiles"],
  ["Query", "query_user_profiles", { additionalFields: { where: 'properties["plan"] == "pro"', output_properties: '["plan"]' } }],
  ["Create", "create_service_account", { username: "n8n-robot", outputSecret: true, idempotencyKey: "=n8n-{{ $execution.id }}", additionalFields: { role: "analyst", projects: "[1]" } }],
  ["List", "get_all_service_accounts", { organization_id: 1 }],
  ["Annotate", "create_annotation", { date: "2026-01-31 00:00:00", description: "By n8n itself" }, "annotations", "mixpanel"],
];
const node = ([name, operation, fields, resource = "essentials", authentication = "serve"], place) => ({
  id: `00000000-0000-4000-8000-00000000000${place}`,
  name,
  type: "n8n-nodes-mixpanel-connector.mixpanelConnector",
  typeVersion: 1,
  position: [200 * (place + 1), 0],
  parameters: { authentication, resource, operation, ...fields },
  credentials: authentication === "serve" ? { mixpanelServeApi: { id: "mixpanelserve001", name: "Server" } } : { mixpanelApi: { id: "mixpaneldirect01", name: "Mixpanel" } },
});
const start = { id: "00000000-0000-4000-8000-0000000000ff", name: "Start", type: "n8n-nodes-base.manualTrigger", typeVersion: 1, position: [0, 0], parameters: {} };
// A deletion without its yes: the server refuses it, and the workflow goes on with what the node says of it.
const refused = { ...node(["Refused", "delete_user_profile", { distinct_id: "n8n-1", confirm: false }, "user-profiles"], 8), onError: "continueRegularOutput" };
const nodes = [start, ...steps.map(node), refused];
const connections = Object.fromEntries(nodes.slice(0, -1).map(({ name }, place) => [name, { main: [[{ node: nodes[place + 1].name, type: "main", index: 0 }]] }]));
writeFileSync(join(folder, "workflow.json"), JSON.stringify([{ id: "mixpanelflow0001", name: "Mixpanel", active: false, settings: { executionOrder: "v1" }, nodes, connections }]));
writeFileSync(
  join(folder, "credentials.json"),
  JSON.stringify([
    { id: "mixpanelserve001", name: "Server", type: "mixpanelServeApi", data: { address: server, apiKey: "" } },
    { id: "mixpaneldirect01", name: "Mixpanel", type: "mixpanelApi", data: { username: "local", secret: "local", projectId: "1", region: "mixpanel.com", address: mixpanel } },
  ]),
);
