// The npm package "mixpanel-browser", unchanged, in a cross-origin page in headless Chromium: tracks, identifies and sets a profile.
const fs = require("node:fs");
const http = require("node:http");

const [api, proxy] = process.argv.slice(2);
const script = fs.readFileSync(process.env.CLIENTS + "/node_modules/mixpanel-browser/dist/mixpanel.umd.js");
const page = `<!doctype html><title>page</title><script src="/mixpanel.js"></script><script>
  mixpanel.init("local", { api_host: "${api}", persistence: "localStorage", batch_requests: location.hash === "#batch", ignore_dnt: true, record_sessions_percent: 0, flags: false });
  mixpanel.track("Before", { page: 1, flag: "\\u{1F3F3}\\uFE0F" });
  mixpanel.identify("browser-user");
  mixpanel.people.set({ plan: "pro" });
  mixpanel.track("After", { page: 2 }, () => { document.title = "tracked"; });
</script>`;

async function main() {
  const server = http.createServer((request, response) => {
    const isScript = request.url === "/mixpanel.js";
    response.writeHead(200, { "Content-Type": isScript ? "text/javascript" : "text/html" });
    response.end(isScript ? script : page);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { contextOf, launch } = await import("./chromium.mjs");
  const browser = await launch(proxy ? { proxy: { server: proxy, bypass: "127.0.0.1" } } : {});
  const tab = await (await contextOf(browser, { ignoreHTTPSErrors: true })).newPage(); // Chromium reads no certificate authority from an environment variable
  tab.on("console", (message) => console.log("console", message.text()));
  tab.on("pageerror", (error) => console.log("pageerror", error.message));
  tab.on("requestfailed", (request) => console.log("requestfailed", request.url(), request.failure().errorText));
  const answers = new Promise((resolve) => {
    let left = 3;
    tab.on("response", (response) => {
      if (response.url().startsWith(api) && response.request().method() === "POST") {
        console.log("response", new URL(response.url()).pathname, response.status());
        if (new URL(response.url()).pathname === "/engage/" || --left === 0) resolve();
      }
    });
  });
  await tab.goto(`http://127.0.0.1:${server.address().port}/`);
  await tab.waitForFunction(() => document.title === "tracked");
  await answers;
  await tab.waitForLoadState("networkidle");
  await browser.close();
  server.close();
  console.log("done");
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
