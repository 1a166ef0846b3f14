// Compares what n8n says of the executed workflow with what the server and the embedded Mixpanel behind it have. Arguments: FILE SERVER
import { deepStrictEqual, match, ok } from "node:assert";
import { readFileSync } from "node:fs";

const [file, server] = process.argv.slice(2);
const text = readFileSync(file, "utf8");
const { runData, error } = JSON.parse(text.slice(text.indexOf("\n{") + 1)).data.resultData;
deepStrictEqual(error, undefined);
const output = (name) => runData[name][0].data.main[0][0].json;
const ask = async (action, input) => (await fetch(`${server}/v1/actions/${action}`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(input) })).json();

deepStrictEqual(output("Track"), { status: 1 });
deepStrictEqual(output("Import"), { status: "OK", num_records_imported: 3 });
const day = (offset) => new Date(Date.now() + offset * 86_400_000).toISOString().slice(0, 10);
const { results: events } = await ask("export_events", { from_date: day(-2), to_date: day(0) });
const named = (event) => events.filter((one) => one.event === event);
deepStrictEqual([named("Tracked by n8n").length, named("Imported by n8n").length], [1, 3]);
ok(named("Imported by n8n").every(({ properties }) => properties.source === "n8n"));

const [profile, ...others] = output("Query").results;
deepStrictEqual([profile.$distinct_id, profile.$properties.plan, others.length], ["n8n-1", "pro", 0]);

const made = output("Create");
deepStrictEqual(made.service_account_created, "true");
ok(made.secret.length > 20);
const { service_accounts: accounts } = await ask("get_all_service_accounts", { organization_id: 1 });
ok(accounts.some(({ id, username }) => String(id) === made.id && username === "n8n-robot"));
deepStrictEqual(output("List").service_accounts, accounts);

const annotation = await ask("get_annotation", { annotation_id: output("Annotate").id });
deepStrictEqual(annotation.description, "By n8n itself");
match(output("Refused").error, /confirm/);
deepStrictEqual((await ask("query_user_profiles", { where: 'properties["plan"] == "pro"' })).total, 1);
console.log(`${Object.keys(runData).length - 1} nodes ran; their output matches the stored data.`);
