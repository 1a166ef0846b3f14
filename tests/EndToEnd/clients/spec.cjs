// The npm package "mixpanel-node", unchanged: generated from Mixpanel's OpenAPI files, it sends each operation as they specify.
const { mixpanelIngestion: mixpanel } = require(process.env.CLIENTS + "/node_modules/mixpanel-node");

const profile = (operation) => [{ $token: "local", $distinct_id: "spec-1", ...operation }];

async function main() {
  const time = Math.floor(Date.now() / 1000) - 60;
  const properties = { time, distinct_id: "spec-1", $insert_id: "spec-import-1", token: "local" };
  const auth = { username: "local", password: "local" };
  console.log("import", JSON.stringify(await mixpanel.event.importEvents({ projectId: "1", events: [{ event: "Imported by spec", properties }], auth, strict: "1" })));
  console.log("track", JSON.stringify(await mixpanel.event.trackEvents([{ event: "Tracked by spec", properties: { ...properties, $insert_id: "spec-track-1" } }], "1")));
  console.log("set", JSON.stringify(await mixpanel.profile.setProperty(profile({ $set: { plan: "pro", gone: 1 } }), "1")));
  console.log("set_once", JSON.stringify(await mixpanel.profile.setPropertyOnce(profile({ $set_once: { plan: "free", since: 2026 } }), "1")));
  console.log("add", JSON.stringify(await mixpanel.profile.numericalAdd(profile({ $add: { visits: 2 } }), "1")));
  console.log("append", JSON.stringify(await mixpanel.profile.listAppend(profile({ $append: { tags: "a" } }), "1")));
  console.log("union", JSON.stringify(await mixpanel.profile.union(profile({ $union: { tags: ["a", "b", "c"] } }), "1")));
  console.log("remove", JSON.stringify(await mixpanel.profile.listRemove(profile({ $remove: { tags: "b" } }), "1")));
  console.log("unset", JSON.stringify(await mixpanel.profile.unset(profile({ $unset: ["gone"] }), "1")));
  console.log("delete", JSON.stringify(await mixpanel.profile.profileDelete([{ $token: "local", $distinct_id: "nobody", $delete: "null" }], "1")));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
