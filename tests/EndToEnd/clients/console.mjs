// The console in headless Chromium, as people use it. Arguments: what to do, the console's address, the browser, a folder for pictures or "".
import { chromium } from "playwright-core";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { strict as assert } from "node:assert";

const [, , what, address, program, pictures] = process.argv;
const axe = readFileSync(fileURLToPath(import.meta.resolve("axe-core/axe.min.js")), "utf8");
const origin = new URL(address).origin;
const all = ["", "live", "rejected", "imports", "profiles", "accounts", "actions/create_service_account", "actions/import_events", "actions/delete_annotation"];
const auth = { Authorization: `Basic ${btoa("local:local")}`, "Content-Type": "application/json" };
const faults = [];

async function open(browser, { path = "", scheme = "light", width = 1360, height = 900 } = {}) {
  const context = await browser.newContext({ colorScheme: scheme, viewport: { width, height }, reducedMotion: "reduce", permissions: [] });
  await context.addInitScript(() => {
    globalThis.violations = [];
    document.addEventListener("securitypolicyviolation", (event) => globalThis.violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
  });
  const page = await context.newPage();
  page.on("console", (message) => {
    // A refusal that a test provokes is written by the browser, too.
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
  await page.waitForFunction((to) => document.querySelector(`nav [aria-current=page][href="#/${to}"]`), path.split("/")[0]);
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
}

const allow = (page) => page.getByRole("switch", { name: "Allow changes" }).check({ force: true });

async function post(path, body) {
  const response = await fetch(`${address.replace(/\/$/, "")}${path}`, { method: "POST", headers: auth, body: JSON.stringify(body) });
  assert.ok(response.status < 500, `${path}: ${response.status}`);
  return response.json();
}

const event = (name, properties = {}) => ({ event: name, properties: { time: Math.floor(Date.now() / 1000) - 60, distinct_id: "user-1", $insert_id: crypto.randomUUID(), ...properties } });

const tasks = {
  /** Every page, wide and narrow, light and dark, has nothing that axe minds. */
  async accessible(browser) {
    await post("/import?strict=1&project_id=1", [event("Signed Up", { plan: "pro" }), event("Signed Up", { plan: "free" }), event("Left", { reason: "price" })]);
    await post("/import?strict=1&project_id=1", [{ event: "", properties: {} }]);
    await post("/engage?verbose=1", [{ $token: "local", $distinct_id: "user-1", $set: { plan: "pro", $email: "a@example.com" } }]);
    for (const scheme of ["light", "dark"]) {
      for (const [width, height] of [[1360, 900], [390, 844]]) {
        const page = await open(browser, { scheme, width, height });
        await allow(page);
        await page.evaluate(axe);
        for (const path of all) {
          await go(page, path);
          if (path === "") await page.locator(".chart canvas").first().waitFor();
          if (["live", "rejected", "profiles", "accounts"].includes(path)) {
            const row = page.locator(".records tbody tr").first();
            await row.click();
            await page.getByRole("region", { name: "Selected" }).waitFor();
          }
          // The list of actions is the same beside each of them, and looked at once.
          const exclude = path.startsWith("actions/") && path !== all.find((one) => one.startsWith("actions/")) ? [[".action-list nav"]] : [];
          const found = await page.evaluate((exclude) => globalThis.axe.run({ include: [["html"]], exclude }, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }), exclude);
          for (const { id, nodes } of found.violations) faults.push(`axe ${scheme} ${width} /${path}: ${id}: ${nodes.map((node) => `${node.target} ${node.failureSummary.replaceAll(/\s+/g, " ")}`).slice(0, 2).join("; ")}`);
          const isTooWide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth + 1);
          if (isTooWide) faults.push(`${scheme} ${width} /${path}: wider than the screen`);
          if (pictures) await page.screenshot({ path: `${pictures}/${scheme}-${width}-${path.replace("/", "-") || "overview"}.png` });
        }
        await close(page);
      }
    }
  },

  /** Every action's form gives an answer, and shows a mistake where it is. */
  async forms(browser) {
    const page = await open(browser);
    const list = (await (await fetch(`${address}v1/actions`)).json()).actions;
    for (const { name } of list.filter(({ scope }) => scope === "write")) {
      await go(page, `actions/${name}`);
      assert.ok(await page.getByRole("button", { name: "Run" }).isDisabled(), `${name}: changes are not allowed yet`);
    }
    await allow(page);
    const answers = [];
    for (const [index, { name, title, needs_confirmation, agents }] of list.entries()) {
      await go(page, `actions/${name}`);
      await page.getByRole("heading", { level: 2, name: title, exact: true }).waitFor();
      await page.getByRole("button", { name: "Run" }).click();
      if (needs_confirmation) await page.getByRole("dialog").getByRole("button", { name: "Yes, do it for good" }).click();
      const answer = page.getByRole("region", { name: "answer" });
      await answer.or(page.getByRole("alert")).first().waitFor();
      answers.push(`${name}: ${(await answer.count()) > 0 ? "answer" : (await page.getByRole("alert").innerText()).replaceAll("\n", " ")}`);
      if (index % 10 !== 0) continue;
      for (const tab of ["curl", "C#", "Command line", "MCP"]) {
        await page.getByRole("tab", { name: tab }).click();
        const text = await page.getByRole("tabpanel", { name: tab }).locator("pre").innerText();
        assert.ok(text.includes(tab === "C#" ? "client." : tab === "Command line" ? "mixpanel " : name), text);
        if (tab === "MCP") assert.ok(text.includes(agents === "tool" ? `"${name}"` : agents === "never" ? "not offered" : "run_action"), text);
      }
    }
    console.log(answers.join("\n"));
    // The examples name things that this project does not have, and a few operations are not embedded: what no example may be is wrong.
    assert.deepEqual(answers.filter((answer) => answer.includes("invalid_input")), []);

    await go(page, "actions/track_event");
    await page.getByRole("textbox", { name: "properties" }).fill('{"time": 1,}');
    await page.getByRole("button", { name: "Run" }).click();
    await page.getByText("Line 1, column 12").waitFor();
    // A number that JavaScript would change goes out as it is written.
    await page.getByRole("textbox", { name: "properties" }).fill(`{"time": ${Math.floor(Date.now() / 1000) - 5}, "distinct_id": "exact", "$insert_id": "exact-1", "big": 12345678901234567890.10}`);
    await page.getByRole("button", { name: "Run" }).click();
    await page.getByRole("region", { name: "answer" }).getByText('"status": 1').waitFor();
    await go(page, "live");
    await page.getByText("12345678901234567890.10").first().waitFor();

    await go(page, "profiles");
    await page.getByRole("textbox", { name: "Expression" }).fill('properties["plan"] === 1');
    await page.getByRole("button", { name: "Search" }).click();
    await page.locator('[aria-invalid="true"]').waitFor();
    assert.equal(await page.getByRole("alert").count(), 0, "the mistake shows at the field alone");
    await close(page);
  },

  /** One action of a hundred is found by its name, by words and by its operationId, and what is for good is asked about first. */
  async search(browser) {
    const page = await open(browser, { path: "actions" });
    const links = page.getByRole("navigation", { name: "Actions" }).getByRole("link");
    await links.first().waitFor();
    const everything = await links.count();
    assert.equal(everything, (await (await fetch(`${address}v1/actions`)).json()).actions.length);
    await page.keyboard.press("/");
    const search = page.getByRole("searchbox", { name: "Search" });
    for (const text of ["delete_annotation", "delete annotation", "Delete ANNOTATION", "delete-annotation"]) {
      await search.fill(text);
      assert.match(await links.first().innerText(), /^Delete annotation\s+delete$/, text);
    }
    await search.fill("no such thing");
    await page.getByText("Nothing matches.").waitFor();
    await page.keyboard.press("Escape");
    assert.equal(await links.count(), everything);
    await search.fill("delete_annotation");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 2, name: "Delete annotation", exact: true }).waitFor();

    const made = (await post("/v1/actions/create_annotation", { date: "2026-01-31 00:00:00", description: "To be removed" })).id;
    const asked = [];
    page.on("request", (request) => request.method() === "POST" && asked.push(request.postData()));
    await allow(page);
    assert.equal(await page.getByLabel("confirm").count(), 0, "a dialog asks, not the form");
    await page.getByRole("textbox", { name: "annotation_id" }).fill(String(made));
    await page.getByRole("button", { name: "Run" }).click();
    await page.getByRole("dialog").getByText("This cannot be undone.").waitFor();
    await page.evaluate(axe);
    const found = await page.evaluate(() => globalThis.axe.run(document.querySelector("[role=dialog]"), { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] }));
    faults.push(...found.violations.map(({ id, nodes }) => `axe dialog: ${id}: ${nodes.map((node) => node.failureSummary).join("; ")}`));
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Run" }).click();
    await page.keyboard.press("Enter"); // the focus is on what does nothing
    await page.getByRole("dialog").waitFor({ state: "detached" });
    assert.deepEqual(asked, []);
    await page.getByRole("button", { name: "Run" }).click();
    await page.getByRole("button", { name: "Yes, do it for good" }).click();
    await page.getByRole("region", { name: "answer" }).waitFor();
    assert.deepEqual(asked.map((body) => JSON.parse(body)), [{ annotation_id: made, confirm: true }]);
    await close(page);
  },

  /** What arrives shows without being asked for: an event, a refusal nobody was told of, an import that moves. */
  async live(browser) {
    const page = await open(browser, { path: "live" });
    await page.getByText("Waiting for events").waitFor();
    await post("/import?strict=1&project_id=1", [event("Arrived", { colour: "blue" })]);
    await page.getByRole("row", { name: /Arrived/ }).waitFor();
    await page.keyboard.press("/");
    await page.keyboard.type("blue");
    await page.getByText("1 of 1").waitFor();
    await page.keyboard.type("green");
    await page.getByText("Nothing matches", { exact: true }).waitFor();
    await go(page, "rejected");
    await fetch(`${address}track`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify([{ event: "Old", properties: { token: "local", time: 1000, distinct_id: "u" } }]) });
    await page.getByRole("row", { name: /older than five days.*was not told/ }).waitFor();
    await go(page, "imports");
    await allow(page);
    const lines = Array.from({ length: 3000 }, (_, index) => JSON.stringify(index % 1000 === 7 ? { event: "", properties: {} } : event("Imported", { n: index })));
    await page.getByLabel("File to import").setInputFiles({ name: "events.ndjson", mimeType: "application/x-ndjson", buffer: Buffer.from(lines.join("\n")) });
    const job = page.getByRole("region", { name: /^Import / });
    await job.getByText("finished").waitFor();
    await job.getByText("2,997").waitFor();
    await job.getByRole("button", { name: "Show what was rejected" }).click();
    await job.getByRole("region", { name: "Rejected records" }).getByRole("row").nth(3).waitFor();
    const saved = page.waitForEvent("download");
    await job.getByRole("button", { name: "Download the dead letters" }).click();
    assert.equal(readFileSync(await (await saved).path(), "utf8").trim().split("\n").length, 3);
    await job.getByRole("button", { name: "Remove" }).click();
    await job.getByRole("button", { name: "Remove it for good" }).click();
    await page.getByText("No imports yet").waitFor();
    await close(page);
  },

  /** An answer that the page cannot show breaks one page, and says so. */
  async broken(browser) {
    const page = await open(browser);
    await page.route("**/v1/actions", async (route) => {
      const answer = await (await route.fetch()).json();
      for (const action of answer.actions ?? answer) action.input_schema = null;
      await route.fulfill({ json: answer });
    });
    await page.reload();
    await go(page, "actions/track_event");
    await page.getByRole("heading", { level: 1, name: "This page cannot be shown" }).waitFor();
    assert.ok(faults.length > 0, "the mistake is in the browser's console, too");
    faults.length = 0;
    await go(page, "live");
    await page.getByRole("heading", { level: 1, name: "Live events" }).waitFor();
    await close(page);
  },

  /** Nothing but the keyboard: from the top of the page to a profile found, a record read, and a service account made. */
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
    assert.match(await focused(), /^H1/, "the focus goes to the title of the new page");
    await tabTo(/^TR/);
    await press("ArrowDown", "ArrowDown", "Enter");
    await page.getByRole("region", { name: "Selected" }).getByText('"First"').waitFor();
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
    await page.getByRole("heading", { level: 1 }).focus();
    await tabTo(/^BUTTON\s+New service account$/);
    await press("Enter");
    await page.getByRole("dialog").waitFor();
    await page.keyboard.type("made-by-keyboard");
    await press("Enter");
    await page.getByText("It is shown this once").waitFor();
    assert.match(await page.getByRole("dialog").locator("pre").innerText(), /^\S{16,}$/);
    await tabTo(/^BUTTON\s+I have kept it$/);
    await press("Enter");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await page.getByRole("row", { name: /made-by-keyboard/ }).waitFor();
    await close(page);
  },

  /** Names, values and file names that would be scripts, pictures from elsewhere or other text than they seem. */
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
    for (const option of (await page.getByLabel("Event", { exact: true }).locator("option").all()).slice(0, 8)) {
      await page.getByLabel("Event", { exact: true }).selectOption(await option.getAttribute("value"));
      await page.locator(".bar-name").first().click();
    }
    for (const path of ["live", "rejected", "profiles"]) {
      await go(page, path);
      const more = page.getByRole("button", { name: /^Show \d+ more/ });
      await page.locator(".records tbody tr").first().waitFor();
      while ((await more.count()) > 0) await more.click();
      assert.ok((await page.locator(".records tbody tr").count()) >= 200, path);
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
    // Each as the name of a file, which shows while the file is sent; nobody takes these files, for the server never sees a file's name.
    await page.evaluate(() => {
      globalThis.sending = new Set();
      new MutationObserver(() => document.querySelectorAll("[role=status] p").forEach((line) => globalThis.sending.add(line.textContent))).observe(document.querySelector("main"), { childList: true, subtree: true, characterData: true });
    });
    const uploads = (url) => url.pathname === "/v1/imports";
    await page.route(uploads, (route) => (route.request().method() === "POST" ? route.fulfill({ status: 202, json: {} }) : route.fallback()));
    const names = texts.map((text) => text.replaceAll(/[/\\\0]/g, "_").slice(0, 100));
    for (const name of names) {
      await page.getByLabel("File to import").setInputFiles({ name, mimeType: "text/html", buffer: Buffer.from("{}") });
      await page.getByText("Sending").waitFor({ state: "detached" });
    }
    await page.unroute(uploads);
    assert.equal((await page.evaluate(() => globalThis.sending.size)), new Set(names).size);
    // Each as a record that is refused: all of it shows. The page shows 200 of a file.
    for (let at = 0; at < texts.length; at += 200) {
      const part = texts.slice(at, at + 200);
      await page.getByLabel("File to import").setInputFiles({ name: names[at], mimeType: "text/html", buffer: Buffer.from(part.map((text) => JSON.stringify(event(text, { time: text, [text]: text }))).join("\n")) });
      const jobs = page.getByRole("region", { name: /^Import / });
      await jobs.nth(at / 200).waitFor();
      const job = jobs.first(); // the newest
      await job.getByRole("button", { name: "Show what was rejected" }).click();
      await job.getByRole("region", { name: "Rejected records" }).getByRole("row").nth(part.length).waitFor();
    }
    await go(page, "actions/track_event");
    await page.getByRole("textbox", { name: "event", exact: true }).fill(texts.join(" "));
    for (const tab of ["curl", "C#", "Command line", "MCP"]) await page.getByRole("tab", { name: tab }).click();
    await page.getByRole("button", { name: "Run" }).click();
    assert.equal(await page.evaluate(() => globalThis.pwned), 0, "a script of the data ran");
    // Nothing of the data became an element: all of them are the console's own.
    assert.deepEqual(await page.evaluate(() => [...document.querySelectorAll("img:not([src='console.svg']), script:not([src='console.js']), iframe, object, embed, link:not([href^='console']), base, form[action], [onerror], [onload], [onclick], [srcdoc], a[href^='javascript' i]")].map((element) => element.outerHTML)), []);
    console.log(`${texts.length} texts`);
    const before = faults.length;
    await close(page);
    assert.equal(faults.length, before);
    // The watch sees what it is there for: a picture from elsewhere is refused by the policy, and that is told.
    const watched = await open(browser);
    await watched.evaluate(() => new Promise((resolve) => {
      const image = document.createElement("img");
      image.onerror = resolve;
      image.src = "http://198.51.100.7/watch";
    }));
    await close(watched);
    assert.ok(faults.splice(before).some((fault) => fault.startsWith("policy: img-src")));
  },

  /** A real Mixpanel: what only the embedded one can fill is hidden, and nothing is asked unasked. */
  async real(browser) {
    const page = await open(browser);
    await page.getByRole("link", { name: "API reference" }).waitFor(); // the links come with the first answer
    assert.deepEqual(await page.locator("nav.pages a").allInnerTexts(), ["Overview", "Imports", "Profiles", "Service accounts", "Actions", "API reference"]);
    const asked = [];
    page.on("request", (request) => asked.push(`${request.method()} ${new URL(request.url()).pathname}`));
    for (const path of ["", "imports", "profiles", "accounts", "actions"]) await go(page, path);
    assert.deepEqual(asked.filter((one) => one.startsWith("POST")), []);
    await go(page, "");
    const answer = page.waitForResponse((response) => response.url().endsWith("/get_event_names"));
    await page.getByRole("button", { name: "Ask (2 queries)" }).click();
    assert.equal((await answer).status(), 200);
    console.log("asked");
    await close(page);
  },

  /** A server with keys asks for one, and a key that may only read changes nothing. */
  async key(browser) {
    const page = await open(browser);
    await page.getByLabel("Key", { exact: true }).fill("wrong");
    await page.keyboard.press("Enter");
    await page.getByText("The server does not know this key.").waitFor();
    await page.getByLabel("Key", { exact: true }).fill(process.env.CONSOLE_KEY);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
    assert.ok(await page.getByRole("switch", { name: "Allow changes" }).isDisabled());
    assert.equal(await page.locator(".pulse").innerText(), "live");
    await page.reload();
    await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
    await go(page, "actions/track_event");
    const curl = await page.getByRole("tabpanel").locator("pre").innerText();
    assert.ok(!curl.includes(process.env.CONSOLE_KEY) && curl.includes("$MIXPANEL_CONNECTOR_KEY"), curl);
    await close(page);
  },
};

/** Scripts in every place where HTML, SVG, CSS, an address, JSON or a template could take them, and text that turns around or hides. */
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

const browser = await chromium.launch({ executablePath: program, args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"] });
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
