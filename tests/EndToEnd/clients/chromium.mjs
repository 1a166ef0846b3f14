// Headless Chromium, which calls nobody by itself: the one that CHROMIUM names, or the installed one. Its headless shell, which lacks what
// only a screen needs, takes a third less processor time.
import { existsSync } from "node:fs";
import { chromium } from "playwright-core";

const executablePath = process.env.CHROMIUM ?? ["/usr/bin/chromium-headless-shell", "/usr/bin/chromium"].find(existsSync);

/** Catches what hangs: nothing may fail because a machine is slow. */
export const patience = 10 * 60 * 1000;

export const launch = (options) =>
  chromium.launch({
    executablePath,
    timeout: patience,
    args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
    ...options,
  });

/** A context of its own for each page that is opened. */
export async function contextOf(browser, options) {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(patience);
  return context;
}
