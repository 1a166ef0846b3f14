// The npm package "mixpanel": tracks, imports, and updates people and groups. It is configured with addresses if given, otherwise unchanged.
const Mixpanel = require(process.env.CLIENTS + "/node_modules/mixpanel");

const [host, tlsHost] = process.argv.slice(2);
const done = (what) => (error) => {
  if (error) {
    console.error(what, error);
    process.exitCode = 1;
  } else {
    console.log(what);
  }
};

const tracker = Mixpanel.init("local", { ...(host ? { host, protocol: "http" } : {}), keepAlive: false });
tracker.track("Tracked by npm", { distinct_id: "npm-1", $insert_id: "npm-track-1", amount: 12.5 }, done("track"));
tracker.people.set("npm-1", { plan: "pro", $email: "npm@example.com" }, done("people.set"));
tracker.groups.set("company", "npm", { size: 3 }, done("groups.set"));

const importer = Mixpanel.init("local", {
  ...(tlsHost ? { host: tlsHost } : {}),
  keepAlive: false,
  credentials: new Mixpanel.ServiceAccountCredentials("local", "local", "1"),
});
const time = new Date(Date.now() - 30 * 86400 * 1000);
importer.import_batch(
  [1, 2, 3].map((n) => ({ event: "Imported by npm", properties: { time, distinct_id: `npm-${n}`, $insert_id: `npm-import-${n}` } })),
  done("import_batch"),
);
