// The npm package "mixpanel-import", unchanged: imports events, users, groups and a table, and exports profiles and events.
const fs = require("node:fs");
const path = require("node:path");
const mp = require(process.env.CLIENTS + "/node_modules/mixpanel-import");

const [folder] = process.argv.slice(2);
const creds = {
  acct: "local",
  pass: "local",
  project: 1,
  token: "local",
  lookupTableId: "00000000-0000-4000-8000-000000000001",
  groupKey: "company",
};
const quiet = { logs: false, verbose: false, showProgress: false, abridged: false, strict: true };
const day = 86400;
const time = Math.floor(Date.now() / 1000) - 3 * day;
const date = (seconds) => new Date(seconds * 1000).toISOString().slice(0, 10);

async function main() {
  const report = {};
  const events = [1, 2, 3].map((n) => ({ event: "Imported", properties: { time: time + n, distinct_id: `user-${n}`, $insert_id: `import-${n}`, n } }));
  report.event = await mp(creds, events, { ...quiet, recordType: "event" });
  report.user = await mp(creds, [{ $token: "local", $distinct_id: "user-1", $set: { plan: "pro" } }, { $token: "local", $distinct_id: "user-2", $set: { plan: "free" } }], { ...quiet, recordType: "user" });
  report.group = await mp(creds, [{ $token: "local", $group_key: "company", $group_id: "acme", $set: { size: 3 } }], { ...quiet, recordType: "group" });
  const table = path.join(folder, "table.csv");
  fs.writeFileSync(table, "id,name\n1,one\n2,two\n");
  report.table = await mp(creds, table, { ...quiet, recordType: "table" });
  fs.mkdirSync(path.join(folder, "events"));
  fs.mkdirSync(path.join(folder, "profiles"));
  report.export = await mp(creds, null, { ...quiet, recordType: "export", start: date(time - day), end: date(time + day), where: path.join(folder, "events") });
  report.profiles = await mp(creds, null, { ...quiet, recordType: "profile-export", where: path.join(folder, "profiles") });
  for (const [kind, result] of Object.entries(report)) {
    console.log(kind, JSON.stringify({ success: result.success, failed: result.failed, total: result.total, errors: result.errors }));
  }
  process.exit(0);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
