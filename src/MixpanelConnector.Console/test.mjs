// Runs the tests of what needs no page: `npm test`.
import { build } from "esbuild";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const made = mkdtempSync(join(tmpdir(), "console-tests-"));
try {
  const tests = readdirSync(join(here, "tests")).filter((file) => file.endsWith(".test.ts"));
  await build({ absWorkingDir: here, entryPoints: tests.map((file) => join("tests", file)), outdir: made, outExtension: { ".js": ".mjs" }, bundle: true, platform: "node", format: "esm", logLevel: "warning" });
  process.exitCode = spawnSync(process.execPath, ["--test", ...tests.map((file) => join(made, file.replace(/ts$/, "mjs")))], { stdio: "inherit", env: { ...process.env, TZ: "America/New_York" } }).status ?? 1;
} finally {
  rmSync(made, { recursive: true });
}
