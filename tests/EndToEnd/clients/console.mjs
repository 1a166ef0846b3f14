// The console in headless Chromium, as people use it. Arguments: what to do, the console's address, a folder for pictures or "".
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { strict as assert } from "node:assert";
import { isDeepStrictEqual } from "node:util";
import { contextOf, launch, patience } from "./chromium.mjs";

const [, , what, address, pictures] = process.argv;
const axe = readFileSync(fileURLToPath(import.meta.resolve("axe-core/axe.min.js")), "utf8");
const origin = new URL(address).origin;
const all = ["", "explore", "explore?report=funnels", "explore?report=retention", "live", "rejected", "imports", "profiles", "profiles?person=user-1", "accounts", "actions", "actions/create_service_account", "actions/import_events", "actions/delete_annotation", "nowhere"];
const auth = { Authorization: `Basic ${btoa("local:local")}`, "Content-Type": "application/json" };
const faults = [];
// A slow machine: by how much the browser is slowed down, and the milliseconds by which an answer may be late.
const slowdown = Number(process.env.CONSOLE_SLOWDOWN ?? 1);
const delay = Number(process.env.CONSOLE_DELAY ?? 0);

async function open(browser, { path = "", scheme = "light", width = 1440, height = 900 } = {}) {
  const context = await contextOf(browser, { colorScheme: scheme, viewport: { width, height }, reducedMotion: "reduce", permissions: [] });
  await context.addInitScript(() => {
    globalThis.violations = [];
    document.addEventListener("securitypolicyviolation", (event) => globalThis.violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
  });
  const page = await context.newPage();
  if (slowdown > 1) await (await context.newCDPSession(page)).send("Emulation.setCPUThrottlingRate", { rate: slowdown });
  if (delay > 0) {
    await context.route((url) => url.pathname.startsWith("/v1/"), async (route) => {
      await new Promise((resolve) => setTimeout(resolve, Math.random() * delay));
      await route.fallback().catch(() => {}); // the page may have gone
    });
  }
  page.on("console", (message) => {
    // The browser also logs refusals that a test provokes.
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) faults.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => faults.push(`error: ${error.message}`));
  page.on("dialog", (dialog) => {
    faults.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(`${origin}/`) && !request.url().startsWith(`blob:${origin}/`)) faults.push(`request: ${request.url()}`);
  });
  await page.goto(`${address}#/${path}`);
  await page.getByRole("heading", { level: 1 }).waitFor();
  return page;
}

async function close(page) {
  faults.push(...(await page.evaluate(() => globalThis.violations)).map((violation) => `policy: ${violation}`));
  await page.context().close();
}

async function go(page, path) {
  await page.evaluate((to) => (location.hash = `#/${to}`), path);
  if (path !== "nowhere") await page.waitForFunction((to) => document.querySelector(`nav [aria-current=page][href="#/${to}"]`), path.split(/[/?]/)[0]);
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
}

const changes = (page, are) => page.getByRole("switch", { name: "Allow changes" }).setChecked(are, { force: true });
const allow = (page) => changes(page, true);

async function post(path, body) {
  const response = await fetch(`${address.replace(/\/$/, "")}${path}`, { method: "POST", headers: auth, body: JSON.stringify(body) });
  assert.ok(response.status < 500, `${path}: ${response.status}`);
  return response.json();
}

const event = (name, properties = {}) => ({ event: name, properties: { time: Math.floor(Date.now() / 1000) - 60, distinct_id: "user-1", $insert_id: crypto.randomUUID(), ...properties } });

/** Waits until what is read from a page has a value or matches: what has just been done may not show yet, and a number may still be loading. */
async function becomes(read, wanted, about) {
  for (const end = performance.now() + patience; ; await new Promise((resolve) => setTimeout(resolve, 20))) {
    const found = await read();
    if (wanted instanceof RegExp ? wanted.test(found) : isDeepStrictEqual(found, wanted)) return;
    if (performance.now() > end) assert.fail(`${about ?? "The page"}: ${JSON.stringify(found)} instead of ${wanted instanceof RegExp ? wanted : JSON.stringify(wanted)}`);
  }
}

const shows = (page, expression, wanted, about) => becomes(() => page.evaluate(expression), wanted, about);

/** Expressions that read the content of a page. */
const legend = `[...document.querySelectorAll(".legend button")].map((one) => one.innerText.trim())`;
const tile = (label) => `[...document.querySelectorAll(".tile")].find((one) => one.querySelector("span").innerText === "${label}")?.querySelector("b").innerText`;
const bars = (title) => `[...document.querySelectorAll("section[aria-label^='${title}'] tbody tr")].map((row) => [...row.cells].map((cell) => cell.innerText.trim()).join("|"))`;
const table = `[...document.querySelectorAll(".chart details tbody tr")].map((row) => [...row.cells].map((cell) => cell.innerText.trim()).join("|"))`;

/** Events with known totals: 120 people visit in each of three months, and 40 of them buy once. */
function known() {
  const at = (day) => Date.parse(`${day}T12:00:00Z`) / 1000;
  const people = Array.from({ length: 120 }, (_, index) => `person-${index}`);
  const visits = ["2025-08-01", "2025-09-01", "2025-10-01"].flatMap((day, month) => people.map((id, index) => ({ event: "Visited", properties: { time: at(day), distinct_id: id, $insert_id: `v-${month}-${index}`, plan: index % 4 === 0 ? "pro" : "free" } })));
  const orders = people.slice(0, 40).map((id, index) => ({ event: "Bought", properties: { time: at("2025-08-02"), distinct_id: id, $insert_id: `b-${index}`, price: 10 + index, plan: index % 4 === 0 ? "pro" : "free" } }));
  const again = people.slice(0, 10).map((id, index) => ({ event: "Bought", properties: { time: at("2025-10-02"), distinct_id: id, $insert_id: `c-${index}`, price: 2.5, gift: true, plan: index % 4 === 0 ? "pro" : "free" } }));
  return [...visits, ...orders, ...again];
}

/** Brings a page to a stable state with content: a record is selected, a file is chosen. */
async function settle(page, path) {
  if (path === "" || path === "explore") await page.locator(".chart canvas").first().waitFor();
  if (path === "explore?report=retention") await page.locator(".cohorts, .empty").first().waitFor();
  if (path.startsWith("profiles?")) await page.locator(".timeline, .empty").first().waitFor();
  if (path.startsWith("actions/")) await page.getByRole("button", { name: "Run" }).waitFor();
  if (path === "imports") {
    await page.getByLabel("File to import").setInputFiles({ name: "orders.csv", mimeType: "text/csv", buffer: Buffer.from("who;when;price\nu1;2025-10-01;1,5\nu2;never;2\n") });
    await page.getByRole("region", { name: "Columns" }).waitFor();
    await page.getByRole("button", { name: "Show rejected records" }).first().click();
    await page.getByRole("region", { name: "Rejected records" }).waitFor();
  }
  if (["live", "rejected", "profiles", "accounts"].includes(path)) {
    const row = page.locator(".records tbody tr").first();
    await row.click();
    await page.getByRole("region", { name: "Selected" }).waitFor();
  }
  await page.waitForFunction(() => !document.querySelector(".loading, [data-loading]"));
}

const nameOf = (path) => path.replaceAll(/[^a-z_]+/g, "-") || "overview";

const tasks = {
  /** Every number on a page matches the store, which was filled with known events. */
  async numbers(browser) {
    const events = known();
    await post("/import?strict=1&project_id=1", [...events, { event: "", properties: {} }, { event: "", properties: {} }, { event: "x", properties: { time: "never", distinct_id: "u" } }]);
    await post("/emulator/projects/1/funnels", { name: "To buy", steps: [{ event: "Visited" }, { event: "Bought" }], length: 7, length_unit: "day" });
    const page = await open(browser);
    const isInAMinute = (await page.evaluate(tile("Accepted in the last minute"))) === "410"; // on a slow machine, the minute may be over
    if (isInAMinute) await shows(page, tile("Rejected in the last minute"), "3");
    await shows(page, tile("Rejected today"), "3");
    await shows(page, bars("Rejected today"), ["'event' must not be missing or blank|2|66.7 %", "'properties.time' is invalid: must be specified as seconds since epoch|1|33.3 %"], "refusals by reason");
    await shows(page, tile("Data"), "2025-08-01 to 2025-10-02");

    // Users are counted once, however many months they appear in; numbers that cannot be added up are not.
    await shows(page, legend, ["Visited 360", "Bought 50"]);
    await page.getByLabel("Metric").selectOption("Users");
    await shows(page, legend, ["Visited 120", "Bought 40"]);
    await page.getByLabel("Metric").selectOption("Events per user");
    await shows(page, legend, ["Visited 3", "Bought 1.25"]);
    await page.getByText("View as table").click();
    await shows(page, `${table}.filter((row) => !row.endsWith("|0|0"))`, ["2025-08-01|1|0", "2025-08-02|0|1", "2025-09-01|1|0", "2025-10-01|1|0", "2025-10-02|0|1"]);
    await page.reload();
    await shows(page, legend, ["Visited 3", "Bought 1.25"], "the address holds the state");

    // Values are shown under the pointer, and a series can be hidden.
    await page.locator(".plot").hover({ position: { x: 80, y: 60 } });
    await page.locator(".tip").getByText("2025-08-0").waitFor();
    await becomes(() => page.locator(".tip").innerText(), /Visited\s+[01]\s+Bought\s+[01]/);
    await page.getByRole("button", { name: "Bought" }).click();
    await page.getByRole("button", { name: "Bought", pressed: false }).waitFor();
    await page.locator(".plot").hover({ position: { x: 84, y: 60 } });
    await becomes(() => page.locator(".tip").innerText(), /^(?![^]*Bought)[^]*Visited/);

    // All of the events have a plan, and a bar for all of them has the full width.
    await page.getByLabel("Event", { exact: true }).selectOption("Bought");
    await page.getByText("Stored events: 50.").waitFor();
    await shows(page, `${bars("Top properties")}.filter((row) => /^(plan|gift)[|]/.test(row))`, ["plan|50|100 %", "gift|10|20 %"]);
    const widths = (rail) => [rail.firstChild, rail.parentElement].map((other) => rail.getBoundingClientRect().width - other.getBoundingClientRect().width);
    await shows(page, `[...document.querySelectorAll(".bars th > i")].filter((rail) => rail.closest("tr").cells[2].innerText === "100 %").map(${widths}).filter((pair) => pair.some((one) => Math.abs(one) > 1))`, []);
    await page.getByRole("button", { name: "plan", exact: true }).click();
    await shows(page, bars("Values of plan"), ["free|37|74 %", "pro|13|26 %"]);

    // Explore: by property, with filters, sums and averages; as CSV and as a command.
    let release;
    const held = new Promise((resolve) => (release = resolve));
    await page.route("**/get_event_properties", (route) => held.then(() => route.continue()), { times: 1 });
    await go(page, "explore?event=Bought&from=2025-08-01&to=2025-10-31&unit=month");
    await shows(page, legend, ["Bought 50"]);
    await page.getByRole("combobox", { name: "Break down by" }).waitFor(); // a list, even before its names are known
    release();
    await page.getByLabel("Break down by").selectOption("plan");
    await shows(page, legend, ["free 37", "pro 13"]);
    await page.getByLabel("Metric").selectOption("Users");
    await shows(page, legend, ["free 30", "pro 10"]);
    await page.getByLabel("Break down by").selectOption("None");
    await page.getByLabel("Metric").selectOption("Sum of a property");
    await page.getByLabel("Property", { exact: true }).selectOption("price");
    await shows(page, legend, ["Bought 1,205"]);
    await page.getByLabel("Break down by").selectOption("plan");
    await shows(page, legend, ["free 917.5", "pro 287.5"], "the parts of a sum add up to it");
    const summed = page.waitForEvent("download");
    await page.getByRole("button", { name: "CSV" }).click();
    assert.match(readFileSync(await (await summed).path(), "utf8"), /^time,free,pro\r\n2025-08-01,/);
    await page.getByRole("button", { name: "Show the command" }).click();
    await page.getByRole("tab", { name: "HTTP" }).click();
    const script = JSON.parse(/--json '(.*)'$/s.exec((await page.getByRole("region", { name: "request" }).innerText()).replaceAll("'\\''", "'"))[1]);
    assert.deepEqual((await post("/v1/actions/query_jql", script)).results[0].map(({ name, count }) => `${name} ${count}`), ["free 37", "pro 13"], "the request gives what is shown");
    await page.getByRole("button", { name: "Show the command" }).click();
    await page.getByLabel("Metric").selectOption("Average of a property");
    await shows(page, legend, ["free", "pro"], "an average is not added up");
    await page.getByLabel("Break down by").selectOption("None");
    await shows(page, legend, ["Bought"]);
    await page.getByText("View as table").click();
    await shows(page, `${table}.filter((row) => !row.endsWith("|0"))`, ["2025-08-02|29.5", "2025-10-02|2.5"]);
    await page.getByLabel("Metric").selectOption("Events");
    await page.getByRole("button", { name: "Add filter" }).click();
    await page.getByLabel("Where").selectOption("price");
    await page.getByLabel("Comparison").selectOption("is above");
    await page.getByLabel("Value", { exact: true }).fill("30");
    await shows(page, legend, ["Bought 19"]);
    await page.getByLabel("Condition").fill('properties["plan"] == "pro"');
    await shows(page, legend, ["Bought 4"]);
    const saved = page.waitForEvent("download");
    await page.getByRole("button", { name: "CSV" }).click();
    assert.equal(readFileSync(await (await saved).path(), "utf8"), "time,Bought\r\n2025-08-01,4\r\n2025-09-01,0\r\n2025-10-01,0\r\n");
    await page.getByRole("button", { name: "Show the command" }).click();
    const command = await page.getByRole("region", { name: "command" }).innerText();
    assert.ok(command.startsWith("mixpanel query-segmentation --input '") && command.includes('properties[\\"price\\"] > 30'), command);
    await page.getByRole("tab", { name: "HTTP" }).click();
    const body = JSON.parse(/--json '(.*)'$/s.exec(await page.getByRole("region", { name: "request" }).innerText())[1]);
    const answer = await post("/v1/actions/query_segmentation", body);
    assert.equal(Object.values(answer.values["Bought"]).reduce((sum, value) => sum + value, 0), 4, "the request gives what is shown");
    await page.getByLabel("Save view as").fill("Dear orders");
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await go(page, "explore?report=retention&born=Visited&back=Bought&from=2025-08-01&to=2025-08-31&unit=month");
    await shows(page, `[...document.querySelectorAll(".cohorts tbody tr")].map((row) => [...row.cells].slice(0, 5).map((cell) => cell.innerText.trim()).join("|"))`, ["2025-08-01|120|33.3 %|0 %|8.3 %"]);
    await go(page, "explore?report=funnels&from=2025-08-01&to=2025-08-31");
    await page.getByText("40 of 120 completed the funnel: 33.3 %.").waitFor();
    await page.getByLabel("Saved views").selectOption("Dear orders");
    await shows(page, legend, ["Bought 4"], "a saved view");

    // A person's events, by time.
    await go(page, "profiles?person=person-3");
    await shows(page, `[...document.querySelectorAll(".timeline summary")].map((one) => one.innerText.replace(/\\s+/g, " ").trim())`, ["12:00:00 Bought", "12:00:00 Visited", "12:00:00 Visited", "12:00:00 Bought", "12:00:00 Visited"]);

    // A burst is counted completely, and the page says that it is shown in part.
    await go(page, "live");
    await page.getByText("shown.").first().waitFor();
    await post("/import?strict=1&project_id=1", Array.from({ length: 2000 }, (_, index) => event("Burst", { index })));
    await page.getByText("2,000 events were accepted and 50 shown").waitFor();

    // While paused, the list does not change, and new records are counted.
    await page.getByRole("button", { name: "Pause" }).click();
    await post("/import?strict=1&project_id=1", [event("Meanwhile", { distinct_id: "zoe" }), { event: "", properties: {} }]);
    await page.getByRole("button", { name: "Resume (2 more)" }).click();
    await page.getByRole("row", { name: /Rejected: / }).and(page.locator(".refused")).first().waitFor();
    await page.getByRole("textbox", { name: "Person" }).fill("zoe");
    await page.getByRole("row", { name: /Meanwhile/ }).waitFor();
    await becomes(() => page.locator(".records tbody tr").count(), 1);

    // A table can be sorted, and its columns chosen and resized; the address contains these choices.
    await page.getByRole("textbox", { name: "Person" }).fill("");
    const title = page.getByRole("columnheader").getByRole("button", { name: "Person" });
    await title.click();
    await title.click();
    await page.locator("th[aria-sort=descending]").waitFor();
    await page.locator(".records tbody tr").first().getByText("zoe").waitFor();
    await page.keyboard.press("Shift+ArrowRight");
    await shows(page, `document.querySelectorAll(".records col")[2].style.width`, "170px");
    await page.getByText("Columns", { exact: true }).click();
    await page.getByLabel("$insert_id").check();
    await page.getByRole("columnheader").getByRole("button", { name: "$insert_id" }).waitFor();
    await page.waitForURL(/sort=-person.*columns=/);
    await close(page);
  },

  /** axe reports nothing on any page, wide and narrow, light and dark. */
  async accessible(browser) {
    await post("/import?strict=1&project_id=1", [event("Signed Up", { plan: "pro" }), event("Signed Up", { plan: "free" }), event("Left", { reason: "price" })]);
    await post("/import?strict=1&project_id=1", [{ event: "", properties: {} }]);
    await post("/engage?verbose=1", [{ $token: "local", $distinct_id: "user-1", $set: { plan: "pro", $email: "a@example.com" } }]);
    await fetch(`${address}v1/imports?name=some.ndjson`, { method: "POST", headers: { "Content-Type": "application/x-ndjson" }, body: `${JSON.stringify(event("Signed Up"))}\n{"event":"","properties":{}}\n` });
    for (const scheme of ["light", "dark"]) {
      // Light and dark pages differ only in their colours.
      const runOnly = scheme === "light" ? ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] : { type: "rule", values: ["color-contrast", "link-in-text-block"] };
      for (const [width, height] of [[1440, 900], [390, 844]]) {
        const page = await open(browser, { scheme, width, height });
        await allow(page);
        await page.evaluate(axe);
        for (const path of all) {
          await go(page, path);
          await settle(page, path);
          // The list of actions is the same next to each of them, so it is checked once.
          const exclude = path.startsWith("actions/") ? [[".action-list nav"]] : [];
          const look = async () => (await page.evaluate(({ exclude, runOnly }) => globalThis.axe.run({ include: [["html"]], exclude }, { runOnly, resultTypes: ["violations"] }), { exclude, runOnly })).violations;
          let found = await look();
          for (let again = 0; again < 2 && found.length > 0; again++) found = await look(); // a change during the check is not a finding
          for (const { id, nodes } of found) faults.push(`axe ${scheme} ${width} /${path}: ${id}: ${nodes.map((node) => `${node.target} ${node.failureSummary.replaceAll(/\s+/g, " ")}`).slice(0, 2).join("; ")}`);
          const isTooWide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth + 1);
          if (width < 500 && (await page.evaluate(() => new Set([...document.querySelectorAll("nav.pages a")].map((one) => one.getBoundingClientRect().top)).size)) !== 1) faults.push(`/${path}: the pages are not on one row`);
          if (isTooWide) faults.push(`${scheme} ${width} /${path}: wider than the screen`);
          if (pictures) await page.screenshot({ path: `${pictures}/${scheme}-${width}-${nameOf(path)}.png` });
        }
        await close(page);
      }
    }
    const page = await open(browser, { width: 390, height: 844 });
    await page.goto(`${address}reference`);
    await shows(page, `[document.body.innerText.includes("\`"), document.documentElement.scrollWidth > innerWidth + 1]`, [false, false], "the reference");
    await page.context().close();
  },

  /** Pictures of every page with the sample data, wide and narrow, light and dark, for manual review. */
  async pictures(browser) {
    const sample = (name) => readFileSync(new URL(`../../../samples/${name}`, import.meta.url));
    for (const [name, type] of [["events.ndjson", "events"], ["profiles.ndjson", "profiles"], ["events-with-errors.ndjson", "events"]]) {
      const taken = await fetch(`${address}v1/imports?name=${name}&type=${type}`, { method: "POST", headers: { "Content-Type": "application/x-ndjson" }, body: sample(name) });
      const { id } = await taken.json();
      while (["queued", "running"].includes((await (await fetch(`${address}v1/imports/${id}`)).json()).status));
    }
    await post("/track", [event("Signed In", { token: "local", time: 1000 }), event("Page Viewed", { token: "nobodys" }), event("", { token: "local" })]);
    await post("/emulator/projects/1/funnels", { name: "From page to order", steps: [{ event: "Page Viewed" }, { event: "Product Added" }, { event: "Order Placed" }], length: 14, length_unit: "day" });
    const paths = [...all.filter((path) => !path.startsWith("profiles?")), "explore?by=plan", "profiles?person=user-0001", "actions/query_segmentation"];
    for (const scheme of ["light", "dark"]) {
      for (const [width, height] of [[1440, 900], [390, 844]]) {
        const page = await open(browser, { scheme, width, height });
        await allow(page);
        for (const path of paths) {
          await go(page, path);
          await settle(page, path);
          await page.screenshot({ path: `${pictures}/${scheme}-${width}-${nameOf(path)}.png`, fullPage: true });
        }
        await close(page);
      }
    }
  },

  /** Every action's form shows an answer, and shows a mistake at its field. */
  async forms(browser) {
    const page = await open(browser);
    const list = (await (await fetch(`${address}v1/actions`)).json()).actions;
    await page.getByRole("switch", { name: "Allow changes", checked: false }).waitFor(); // changes are not allowed at first
    const answers = [];
    for (const [index, { name, title, scope, needs_confirmation, agents }] of list.entries()) {
      await go(page, `actions/${name}`);
      await page.getByRole("heading", { level: 2, name: title, exact: true }).waitFor();
      if (scope === "write") {
        await changes(page, false);
        await page.getByRole("button", { name: "Run", disabled: true }).waitFor();
        await allow(page);
      }
      await page.getByRole("button", { name: "Run" }).click();
      if (needs_confirmation) await page.getByRole("dialog").getByRole("button", { name: "Confirm" }).click();
      const answer = page.getByRole("region", { name: "response" });
      await answer.or(page.getByRole("alert")).first().waitFor();
      answers.push(`${name}: ${(await answer.count()) > 0 ? "answer" : (await page.getByRole("alert").innerText()).replaceAll("\n", " ")}`);
      if (index % 10 !== 0) continue;
      for (const tab of ["curl", "C#", "Command line", "MCP"]) {
        await page.getByRole("tab", { name: tab }).click();
        const call = page.getByRole("tabpanel", { name: tab }).locator("pre");
        await call.getByText(tab === "C#" ? "client." : tab === "Command line" ? "mixpanel " : name).waitFor();
        if (tab === "MCP") await call.getByText(agents === "tool" ? `"${name}"` : agents === "never" ? "not offered" : "run_action").waitFor();
      }
    }
    console.log(answers.join("\n"));
    // The examples name things that this project does not have, and a few operations are not embedded; but no example may be invalid.
    assert.deepEqual(answers.filter((answer) => answer.includes("invalid_input")), []);

    await go(page, "actions/track_event");
    await page.getByRole("textbox", { name: "properties" }).fill('{"time": 1,}');
    await page.getByRole("button", { name: "Run" }).click();
    await page.getByText("Line 1, column 12").waitFor();
    // A number that JavaScript would change is sent as written.
    await page.getByRole("textbox", { name: "properties" }).fill(`{"time": ${Math.floor(Date.now() / 1000) - 5}, "distinct_id": "exact", "$insert_id": "exact-1", "big": 12345678901234567890.10}`);
    await page.getByRole("button", { name: "Run" }).click();
    await page.getByRole("region", { name: "response" }).getByText('"status": 1').waitFor();
    await go(page, "live");
    await page.getByText("12345678901234567890.10").first().waitFor();

    // A refusal is shown with the id that Mixpanel gave the request.
    const track = "**/v1/actions/track_event";
    await page.route(track, (route) => route.fulfill({ status: 422, contentType: "application/problem+json", body: JSON.stringify({ title: "Mixpanel refused the request", status: 422, detail: "No.", kind: "rejected", request_id: "req-\u202e4711" }) }));
    await go(page, "actions/track_event");
    await page.getByRole("button", { name: "Run" }).click();
    await becomes(() => page.getByRole("alert").innerText(), /Mixpanel's request id\s+req-\S*4711/);
    await page.getByRole("alert").getByRole("button", { name: "Copy the request id" }).waitFor();
    await page.unroute(track);

    await go(page, "profiles");
    await page.getByRole("textbox", { name: "Expression" }).fill('properties["plan"] === 1');
    await page.getByRole("button", { name: "Search" }).click();
    await page.locator('[aria-invalid="true"]').waitFor();
    await becomes(() => page.getByRole("alert").count(), 0, "the mistake shows at the field alone");
    await close(page);
  },

  /** One action of a hundred is found by its name, by words and by its operationId, and irreversible ones ask first. */
  async search(browser) {
    const page = await open(browser, { path: "actions" });
    const links = page.getByRole("navigation", { name: "Actions" }).getByRole("link");
    await links.first().waitFor();
    const everything = (await (await fetch(`${address}v1/actions`)).json()).actions.length;
    await becomes(() => links.count(), everything);
    await page.keyboard.press("/");
    const search = page.getByRole("searchbox", { name: "Search" });
    for (const text of ["delete_annotation", "delete annotation", "Delete ANNOTATION", "delete-annotation"]) {
      await search.fill(text);
      await becomes(() => links.first().innerText(), /^Delete annotation\s+delete$/, text);
    }
    await search.fill("no such thing");
    await page.getByText("No matching actions.").waitFor();
    await page.keyboard.press("Escape");
    await becomes(() => links.count(), everything);
    await search.fill("delete_annotation");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 2, name: "Delete annotation", exact: true }).waitFor();

    const made = (await post("/v1/actions/create_annotation", { date: "2026-01-31 00:00:00", description: "To be removed" })).id;
    const asked = [];
    page.on("request", (request) => request.method() === "POST" && asked.push(request.postData()));
    await allow(page);
    await page.getByRole("textbox", { name: "annotation_id" }).fill(String(made));
    await becomes(() => page.getByLabel("confirm").count(), 0, "a dialog asks, not the form");
    await page.getByRole("button", { name: "Run" }).click();
    await page.getByRole("dialog").getByText("This cannot be undone.").waitFor();
    await page.evaluate(axe);
    const found = await page.evaluate(() => globalThis.axe.run(document.querySelector("dialog"), { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] }));
    faults.push(...found.violations.map(({ id, nodes }) => `axe dialog: ${id}: ${nodes.map((node) => node.failureSummary).join("; ")}`));
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Run" }).click();
    await page.keyboard.press("Enter"); // the focus is on the harmless button
    await page.getByRole("dialog").waitFor({ state: "detached" });
    assert.deepEqual(asked, []);
    await page.getByRole("button", { name: "Run" }).click();
    await page.getByRole("button", { name: "Confirm" }).click();
    await page.getByRole("region", { name: "response" }).waitFor();
    assert.deepEqual(asked.map((body) => JSON.parse(body)), [{ annotation_id: made, confirm: true }]);
    await close(page);
  },

  /** New data appears without a request: an event, a refusal that the sender was not told of, the progress of an import. */
  async live(browser) {
    const page = await open(browser, { path: "live" });
    await page.getByText("Waiting for events").waitFor();
    await post("/import?strict=1&project_id=1", [event("Arrived", { colour: "blue" })]);
    await page.getByRole("row", { name: /Arrived/ }).waitFor();
    await page.keyboard.press("/");
    await page.keyboard.type("blue");
    await page.getByText("1 shown").waitFor();
    await page.keyboard.type("green");
    await page.getByText("No matching records", { exact: true }).waitFor();
    await go(page, "rejected");
    await fetch(`${address}track`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify([{ event: "Old", properties: { token: "local", time: 1000, distinct_id: "u" } }]) });
    await page.getByRole("row", { name: /older than five days.*not notified/ }).waitFor();
    await go(page, "imports");
    await allow(page);
    const lines = Array.from({ length: 3000 }, (_, index) => JSON.stringify(index % 1000 === 7 ? { event: "", properties: {} } : event("Imported", { n: index })));
    await page.getByLabel("File to import").setInputFiles({ name: "events.ndjson", mimeType: "application/x-ndjson", buffer: Buffer.from(lines.join("\n")) });
    const file = page.getByRole("region", { name: "The file" });
    await file.getByText("Of the first 1,000 records, 1 would be rejected.").waitFor();
    await file.getByRole("button", { name: "Check the whole file" }).click();
    await page.getByRole("region", { name: "The check" }).getByText("Check complete").waitFor();
    await becomes(() => page.getByRole("region", { name: "The check" }).innerText(), /would be accepted\s+2,997\s+would be rejected\s+3\s/);
    await file.getByRole("button", { name: "Start the import" }).click();
    const job = page.getByRole("region", { name: "Import events.ndjson", exact: true }).filter({ hasText: "finished, 3 rejected" });
    await job.getByText("2,997").waitFor();
    await job.getByRole("button", { name: "Show rejected records" }).click();
    const letters = job.getByRole("region", { name: "Rejected records" });
    await becomes(() => letters.getByRole("textbox").count(), 3);
    for (const [index, letter] of (await letters.getByRole("textbox").all()).entries()) await letter.fill(index === 0 ? "{" : JSON.stringify(event("Mended")));
    await letters.getByText(/^Line 1, column 2/).waitFor();
    await letters.getByRole("textbox").first().fill(JSON.stringify(event("Mended")));
    await job.getByRole("button", { name: "Send 3 again" }).click();
    await page.getByRole("region", { name: "Import events.ndjson, sent again" }).getByText("finished", { exact: true }).waitFor();

    // A file with other column names is read as proposed, and the proposal can be changed.
    await page.getByLabel("File to import").setInputFiles({ name: "orders.csv", mimeType: "text/csv", buffer: Buffer.from("who;when;price\nu1;2025-10-01;1,5\nu2;2025-10-02;2,5\n") });
    await file.getByText("Of the first 2 records, none would be rejected.").waitFor();
    await file.getByText("csv, semicolons between cells").waitFor();
    await becomes(() => file.getByLabel("Import when as").inputValue(), "time");
    await becomes(() => file.getByLabel("Event name for all records").inputValue(), "orders");
    await file.getByLabel("Import when as").selectOption("dropped");
    await file.getByText("Of the first 2 records, 2 would be rejected.").waitFor();
    await file.getByLabel("Import when as").selectOption("time");
    await file.getByLabel("decimal comma").check();
    await file.getByText("Of the first 2 records, none would be rejected.").waitFor();
    await file.getByRole("button", { name: "Start the import" }).click();
    await page.getByRole("region", { name: "Import orders.csv" }).getByText("finished", { exact: true }).waitFor();
    const sum = await post("/v1/actions/query_segmentation_sum", { event: "orders", on: 'number(properties["price"])', from_date: "2025-10-01", to_date: "2025-10-02" });
    assert.deepEqual(Object.values(sum.results), [1.5, 2.5]);
    // Records of another tool's export, and of one with a custom mapping, are shown before and after mapping.
    const call = { type: "track", event: "Order <b>", messageId: "m-1", userId: "u-7", timestamp: "2025-10-03T08:15:30.250Z", properties: { total: 59.9 } };
    await page.getByLabel("File to import").setInputFiles({ name: "calls.json", mimeType: "application/json", buffer: Buffer.from(`${JSON.stringify(call)}\n${JSON.stringify({ ...call, type: "identify" })}\n`) });
    await file.getByLabel("Source").selectOption("segment");
    await file.getByText("The first 2 records, before and after mapping.").waitFor();
    await becomes(() => file.getByRole("region", { name: "mapped record" }).innerText(), /"event": "Order <b>"[^]*"\$insert_id": "m-1"/);
    await file.getByText("Left out: profiles.").waitFor();
    await file.getByRole("button", { name: "Start the import" }).click();
    await page.getByRole("region", { name: "Import calls.json" }).getByText("finished", { exact: true }).waitFor();
    await page.getByLabel("File to import").setInputFiles({ name: "shop.ndjson", mimeType: "application/x-ndjson", buffer: Buffer.from('{"kind":"order","at":1759478400,"user":"u-8"}\n{"kind":"order"}\n') });
    await file.getByLabel("Source").selectOption("custom mapping");
    await file.getByRole("textbox", { name: "Mapping (JSON)" }).fill('{"name":"shop","events":{"event":{"text":"{kind} of {@file}"},"time":{"path":"at","unit":"s"},"user_id":"user"}}');
    await becomes(() => file.getByRole("region", { name: "mapped record" }).first().innerText(), /"event": "order of shop"/);
    await file.getByText(/^Would be rejected/).waitFor();
    await file.getByRole("button", { name: "Start the import" }).click();
    const own = page.getByRole("region", { name: "Import shop.ndjson", exact: true });
    await own.getByText("finished, 1 rejected").waitFor();
    await own.getByRole("button", { name: "Show rejected records" }).click();
    await own.getByRole("region", { name: "Rejected records" }).getByRole("textbox").fill('{"kind":"refund","at":1759478400,"user":"u-8"}');
    await own.getByRole("button", { name: "Send 1 again" }).click();
    await page.getByRole("region", { name: "Import shop.ndjson, sent again" }).getByText("finished", { exact: true }).waitFor();
    await page.getByLabel("File to import").setInputFiles({ name: "bad.ndjson", mimeType: "application/x-ndjson", buffer: Buffer.from('{"event":"","properties":{}}') });
    await file.getByLabel("Source").selectOption("Mixpanel format or a table");
    await file.getByText("Of the first 1 record, 1 would be rejected.").waitFor();
    await file.getByRole("button", { name: "Start the import" }).click();
    await page.getByRole("region", { name: "Import bad.ndjson" }).getByText("all rejected", { exact: true }).waitFor();
    const saved = page.waitForEvent("download");
    await job.getByRole("button", { name: "Download dead letters" }).click();
    assert.equal(readFileSync(await (await saved).path(), "utf8").trim().split("\n").length, 3);
    for (const jobs = page.getByRole("region", { name: /^Import / }); (await jobs.count()) > 0; ) {
      const left = await jobs.count();
      await jobs.first().getByRole("button", { name: "Remove" }).click();
      await jobs.first().getByRole("button", { name: "Remove permanently" }).click();
      await page.waitForFunction((left) => document.querySelectorAll("section[aria-label^='Import ']").length < left, left);
    }
    await page.getByText("No imports yet").waitFor();
    await close(page);
  },

  /** Imports of the command line show how they ended. */
  async terminal(browser) {
    const page = await open(browser, { path: "imports" });
    const ended = page.getByRole("region", { name: "Command-line import some.ndjson" });
    await ended.getByText("finished in a terminal", { exact: true }).waitFor();
    await becomes(() => ended.innerText(), /read\s+2\s+accepted\s+1\s+rejected\s+1/);
    assert.ok(!(await page.content()).includes("some.ndjson/") && !(await page.content()).includes("/some.ndjson"), "the folder is not shown");
    await close(page);
  },

  /** An answer that cannot be displayed breaks only its page, which reports it; an unreachable server is the only message shown. */
  async broken(browser) {
    const page = await open(browser);
    await page.getByText("No events yet").waitFor();
    await page.route("**/v1/live", (route) => route.abort());
    await page.reload();
    await page.getByRole("alert").getByText("The server is not responding").waitFor();
    await becomes(() => page.getByRole("alert").count(), 1);
    await page.getByRole("heading", { level: 1 }).waitFor({ state: "hidden" }); // nothing else is said
    await page.unroute("**/v1/live");
    await page.getByText("No events yet").waitFor(); // without a reload
    faults.length = 0;
    await page.evaluate(() => (location.hash = "#/no/such/place"));
    await page.getByRole("heading", { level: 1, name: "Page not found" }).waitFor();
    await page.route("**/v1/actions", async (route) => {
      const answer = await (await route.fetch()).json();
      for (const action of answer.actions ?? answer) action.input_schema = null;
      await route.fulfill({ json: answer });
    });
    await page.reload();
    await go(page, "actions/track_event");
    await page.getByRole("heading", { level: 1, name: "This page cannot be displayed" }).waitFor();
    await becomes(() => faults.length > 0, true, "the mistake is in the browser's console, too");
    faults.length = 0;
    await go(page, "live");
    await page.getByRole("heading", { level: 1, name: "Live events" }).waitFor();
    await close(page);
  },

  /** With the keyboard only: from the top of the page to finding a profile, reading a record, and creating a service account. */
  async keyboard(browser) {
    await post("/engage?verbose=1", [{ $token: "local", $distinct_id: "keys", $set: { plan: "pro" } }]);
    await post("/import?strict=1&project_id=1", [event("First"), event("Second"), event("Third")]);
    const page = await open(browser);
    const press = (...keys) => keys.reduce((before, key) => before.then(() => page.keyboard.press(key)), Promise.resolve());
    const focused = () => page.evaluate(() => `${document.activeElement.tagName} ${document.activeElement.getAttribute("aria-label") ?? ""} ${document.activeElement.innerText ?? ""}`.trim());
    const tabTo = async (wanted) => {
      const seen = [];
      for (let step = 0; step < 60; step++) {
        await press("Tab");
        const now = await focused();
        if (wanted.test(now)) return;
        seen.push(now);
      }
      throw new Error(`no way by the keyboard to ${wanted}: ${seen.join(" | ")}`);
    };
    await page.locator("nav.pages").waitFor();
    await page.locator("body").evaluate(() => document.activeElement.blur());
    await press("Tab");
    await tabTo(/^A\s+Live events$/);
    await press("Enter");
    await page.getByRole("heading", { level: 1, name: "Live events" }).waitFor();
    await page.getByRole("row", { name: /Third/ }).waitFor();
    await becomes(focused, /^H1/, "the focus goes to the title of the new page");
    await tabTo(/^TR/);
    await press("ArrowDown", "ArrowDown", "Enter");
    await page.getByRole("region", { name: "Selected" }).getByText("First", { exact: true }).waitFor();
    await press("Escape");
    await page.getByRole("region", { name: "Selected" }).waitFor({ state: "detached" });

    await go(page, "profiles");
    await tabTo(/^TEXTAREA/);
    await page.keyboard.type('properties["plan"] == "pro"');
    await press("Control+Enter");
    await page.getByText("1 profile", { exact: true }).waitFor();

    await go(page, "accounts");
    await page.locator("header").getByRole("switch").focus();
    await press("Space");
    await page.getByRole("button", { name: "New service account" }).and(page.locator(":enabled")).waitFor();
    await page.getByRole("heading", { level: 1 }).focus();
    await tabTo(/^BUTTON\s+New service account$/);
    await press("Enter");
    await page.getByRole("dialog").waitFor();
    await page.keyboard.type("made-by-keyboard");
    await press("Enter");
    await page.getByText("It is shown only once").waitFor();
    await becomes(() => page.getByRole("dialog").locator("pre").innerText(), /^\S{16,}$/);
    await tabTo(/^BUTTON\s+I have saved it$/);
    await press("Enter");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await page.getByRole("row", { name: /made-by-keyboard/ }).waitFor();
    await close(page);
  },

  /** Names, values and file names that try to be scripts, external pictures, or text other than it appears. */
  async hostile(browser) {
    const texts = hostile();
    assert.ok(texts.length >= 300, `${texts.length}`);
    for (let at = 0; at < texts.length; at += 100) {
      const part = texts.slice(at, at + 100);
      await post("/import?strict=1&project_id=1", part.map((text) => event(text, { [text]: text, [`in ${text}`]: { [text]: [text] }, distinct_id: text })));
      await post("/import?strict=1&project_id=1", part.map((text) => ({ event: text, properties: { time: text, distinct_id: text, [text]: text } })));
      await post("/engage?verbose=1", part.map((text) => ({ $token: "local", $distinct_id: text, $set: { [text]: text, $name: text } })));
    }
    const page = await open(browser);
    await page.evaluate(() => (globalThis.pwned = 0));
    await page.locator(".chart canvas").first().waitFor();
    await becomes(async () => (await page.getByLabel("Event", { exact: true }).locator("option").count()) > 8, true, "the events of the store");
    for (const option of (await page.getByLabel("Event", { exact: true }).locator("option").all()).slice(0, 8)) {
      await page.getByLabel("Event", { exact: true }).selectOption(await option.getAttribute("value"));
      await page.locator(".bars button").first().click();
    }
    for (const path of ["live", "rejected", "profiles"]) {
      await go(page, path);
      const more = page.getByRole("button", { name: /^Show \d+ more/ });
      await page.locator(".records tbody tr").first().waitFor();
      while ((await more.count()) > 0) await more.click();
      await becomes(async () => (await page.locator(".records tbody tr").count()) >= 200, true, path);
      for (const row of (await page.locator(".records tbody tr").all()).filter((_, index) => index % 12 === 0)) {
        await row.click();
        await page.getByRole("region", { name: "Selected" }).waitFor();
      }
    }
    await go(page, "profiles");
    for (const text of texts.filter((_, index) => index % 30 === 0)) {
      await page.getByRole("textbox", { name: "Expression" }).fill(text);
      await page.getByRole("button", { name: "Search" }).click();
      await page.locator('[aria-invalid="true"], .records tbody tr, .empty').first().waitFor();
    }
    await go(page, "imports");
    await allow(page);
    // Each as the name of a file, and as all the content shown when a file is inspected.
    const names = texts.map((text) => text.replaceAll(/[/\\\0]/g, "_").slice(0, 100));
    const looks = (url) => url.pathname === "/v1/imports/inspect";
    let look = 0;
    await page.route(looks, (route) => {
      const text = texts[look];
      const reasons = [{ code: text, field: text, count: 1, samples: [{ place: text, message: text }] }];
      return route.fulfill({ json: { source: text, format: text, records: 1, refused: 1, reasons, columns: [{ name: text, type: text, samples: [text] }, { name: `properties.${text}`, type: text, samples: [text] }], proposal: { map: { [text]: text }, rename: { [text]: text }, event: text, fix: [text], accepted: 1, note: text, reasons }, problem: text } });
    });
    for (; look < texts.length; look++) {
      await page.getByLabel("File to import").setInputFiles({ name: names[look], mimeType: "text/html", buffer: Buffer.from("{}") });
      await page.getByRole("region", { name: "Columns" }).waitFor();
      await page.waitForFunction((length) => [...document.querySelectorAll("section[aria-label='The file'] h2")].some((title) => title.textContent.length >= length), names[look].length);
    }
    await page.unroute(looks);
    // Each as a refused record: all of it is visible.
    for (let at = 0; at < texts.length; at += 200) {
      const part = texts.slice(at, at + 200);
      await page.getByLabel("File to import").setInputFiles({ name: names[at], mimeType: "text/html", buffer: Buffer.from(part.map((text) => JSON.stringify(event(text, { time: text, [text]: text }))).join("\n")) });
      await page.getByText(/^Of the first [\d,]+ records/).waitFor();
      await page.getByRole("button", { name: "Start the import" }).click();
      await page.getByRole("region", { name: "The file" }).waitFor({ state: "detached" });
      const job = page.getByRole("region", { name: /^Import / }).first(); // the newest
      await job.getByRole("button", { name: "Show rejected records" }).click();
      const letters = job.getByRole("region", { name: "Rejected records" });
      await letters.getByRole("textbox").first().waitFor();
      let seen = 0;
      for (const reason of await job.locator(".bars tbody tr").all()) {
        const count = Number((await reason.getByRole("cell").first().innerText()).replaceAll(",", ""));
        await reason.getByRole("button").click();
        await becomes(async () => {
          for (const more of await letters.getByRole("button", { name: /more$/ }).all()) await more.click();
          return letters.getByRole("textbox").count();
        }, count);
        seen += count;
      }
      assert.equal(seen, part.length);
    }
    await go(page, "actions/track_event");
    await page.getByRole("textbox", { name: "event", exact: true }).fill(texts.join(" "));
    for (const tab of ["curl", "C#", "Command line", "MCP"]) await page.getByRole("tab", { name: tab }).click();
    await page.getByRole("button", { name: "Run" }).click();
    assert.equal(await page.evaluate(() => globalThis.pwned), 0, "a script of the data ran");
    // No data became an element: all elements are the console's own.
    assert.deepEqual(await page.evaluate(() => [...document.querySelectorAll("img:not([src='console.svg']), script:not([src='console.js']), iframe, object, embed, link:not([href^='console']), base, form[action], [onerror], [onload], [onclick], [srcdoc], a[href^='javascript' i]")].map((element) => element.outerHTML)), []);
    console.log(`${texts.length} texts`);
    const before = faults.length;
    await close(page);
    assert.equal(faults.length, before);
    // The listener works: an external picture is refused by the policy, and the violation is reported.
    const watched = await open(browser);
    await watched.evaluate(() => new Promise((resolve) => {
      const image = document.createElement("img");
      image.onerror = resolve;
      image.src = "http://198.51.100.7/watch";
    }));
    await close(watched);
    assert.ok(faults.splice(before).some((fault) => fault.startsWith("policy: img-src")));
  },

  /** A real Mixpanel: pages that only the embedded one has data for are hidden, and nothing is requested unless the user asks. */
  async real(browser) {
    const page = await open(browser);
    await becomes(() => page.locator("nav.pages a").allInnerTexts(), ["Overview", "Explore", "Imports", "Profiles", "Service accounts", "Actions", "API reference"]);
    const asked = [];
    page.on("request", (request) => asked.push(`${request.method()} ${new URL(request.url()).pathname}`));
    for (const path of ["", "explore", "explore?event=A&report=trends", "explore?report=funnels", "explore?report=retention&born=A", "imports", "profiles", "profiles?person=p", "accounts", "actions", "actions/query_funnel"]) await go(page, path);
    assert.deepEqual(asked.filter((one) => one.startsWith("POST")), []);
    await go(page, "");
    const answer = page.waitForResponse((response) => response.url().endsWith("/get_event_names"));
    await page.getByRole("button", { name: "Run (2 queries)" }).click();
    assert.equal((await answer).status(), 200);
    console.log("asked");
    await close(page);
  },

  /** A server with keys asks for one, and a key that may only read changes nothing. */
  async key(browser) {
    const page = await open(browser);
    await page.getByLabel("Key", { exact: true }).fill("wrong");
    await page.keyboard.press("Enter");
    await page.getByText("This key is not valid.").waitFor();
    await page.getByLabel("Key", { exact: true }).fill(process.env.CONSOLE_KEY);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
    await page.getByRole("switch", { name: "Allow changes", disabled: true }).waitFor();
    await becomes(() => page.locator(".pulse").innerText(), "live");
    await page.reload();
    await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
    await go(page, "actions/track_event");
    const curl = page.getByRole("tabpanel").locator("pre");
    await becomes(() => curl.innerText(), /\$MIXPANEL_CONNECTOR_KEY/);
    assert.ok(!(await page.content()).includes(process.env.CONSOLE_KEY), "the key is not shown");
    await close(page);
  },
};

/** Scripts in every place where HTML, SVG, CSS, an address, JSON or a template could execute them, and text that is reversed or hidden. */
function hostile() {
  const script = "globalThis.pwned=1";
  const elsewhere = "http://198.51.100.7/x";
  const cores = [
    `<script>${script}</script>`, `<img src=x onerror=${script}>`, `<svg onload=${script}>`, `<svg><script>${script}</script></svg>`, `<iframe srcdoc="<script>parent.pwned=1</script>">`,
    `<body onload=${script}>`, `<details open ontoggle=${script}>`, `<input autofocus onfocus=${script}>`, `<a href="javascript:${script}">x</a>`, `<form action=${elsewhere}><button>x</button></form>`,
    `<base href=${elsewhere}>`, `<link rel=stylesheet href=${elsewhere}>`, `<meta http-equiv=refresh content="0;url=${elsewhere}">`, `<object data=${elsewhere}></object>`, `<embed src=${elsewhere}>`,
    `<video src=${elsewhere} onerror=${script}></video>`, `<math><mtext><img src onerror=${script}></mtext></math>`, `<template><script>${script}</script></template>`, `<style>@import "${elsewhere}"</style>`, `<p style="background:url(${elsewhere})">x</p>`,
    `javascript:${script}`, `data:text/html,<script>${script}</script>`, "${globalThis.pwned=1}", "{{constructor.constructor('globalThis.pwned=1')()}}", `");${script};//`, `'-(${script})-'`, `\`;${script}//`, `</title><script>${script}</script>`, `</textarea><script>${script}</script>`,
    `]]><script>${script}</script>`, `--><script>${script}</script>`, "__proto__", "constructor", "toString", "hasOwnProperty", "\u202egnp.exe", "\u2066hidden\u2069", "a\u200bb", "\ufeffbom", "\u2028line\u2029paragraph", "\u0000nul", "\u001b[2J\u001b]0;title\u0007", "\r\nSet-Cookie: a=b", "e\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301", "=HYPERLINK(\"http://198.51.100.7\")",
  ];
  const ways = [
    (text) => text,
    (text) => `">${text}`,
    (text) => `'>${text}`,
    (text) => text.toUpperCase().replaceAll("GLOBALTHIS.PWNED", "globalThis.pwned"),
    (text) => `${text}${"A".repeat(100)}`,
    (text) => text.replaceAll("<", "&lt;").replaceAll("\"", "&quot;"),
    (text) => text.replaceAll("<", "\u003c\u0000"),
    (text) => `</script>${text}`,
  ];
  return [...new Set(ways.flatMap((way) => cores.map(way)))].map((text) => text.slice(0, 240));
}

const browser = await launch();
try {
  await tasks[what](browser);
} catch (error) {
  faults.push(`${error.stack}`);
  for (const page of browser.contexts().flatMap((context) => context.pages())) {
    faults.push(`on the page: ${(await page.locator("main").innerText()).slice(0, 2000)}`);
    if (pictures) await page.screenshot({ path: `${pictures}/fault.png` });
  }
} finally {
  await browser.close();
}
if (faults.length > 0) {
  console.error(faults.join("\n"));
  process.exit(1);
}
console.log("done");
