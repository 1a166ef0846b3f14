// Starts the embedded Mixpanel for tests. It needs the command mixpanel, or its path in MIXPANEL_TOOL, or .NET, which downloads it.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";

/** The command that runs the tool, with the arguments that precede the tool's own. */
export function toolCommand() {
  if (process.env.MIXPANEL_TOOL) return [process.env.MIXPANEL_TOOL];
  const find = (name) => (process.env.PATH ?? "").split(delimiter).some((folder) => folder && existsSync(join(folder, process.platform === "win32" ? `${name}.exe` : name)));
  return find("mixpanel") || !find("dotnet") ? ["mixpanel"] : ["dotnet", "tool", "exec", "MixpanelConnector.Tool", "--yes", "--"];
}

export async function startMixpanel(...options) {
  const [command, ...before] = toolCommand();
  const child = spawn(command, [...before, "emulator", "--port", "0", "--data", ":memory:", ...options], { stdio: ["ignore", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout });
  const [line] = await Promise.race([once(lines, "line"), once(child, "exit").then(([code]) => Promise.reject(new Error(`the emulator ended with ${code}`)))]);
  const told = JSON.parse(line); // its address and credentials
  const authorization = "Basic " + Buffer.from(`${told.service_account_username}:${told.service_account_secret}`).toString("base64");

  const ask = async (method, path, body) => {
    const answer = await fetch(told.address + path, { method, headers: { authorization }, body: body && JSON.stringify(body) });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text;
  };

  return {
    ...told,
    host: new URL(told.address).host,
    /** Creates a separate project, so that tests can run in parallel. */
    project: async (name, settings = {}) => JSON.parse(await ask("POST", "/emulator/projects", { name, ...settings })).results,
    /** The stored events, as Mixpanel exports them. */
    events: async (projectId = told.project_id) => {
      const today = JSON.parse(await ask("GET", "/emulator/clock")).results.now.slice(0, 10);
      const text = await ask("GET", `/api/2.0/export?from_date=1971-01-01&to_date=${today}&project_id=${projectId}`);
      return text.split("\n").filter(Boolean).map((line) => JSON.parse(line));
    },
    /** The received requests, and why records were not stored. */
    requests: async () => JSON.parse(await ask("GET", "/emulator/requests")).results,
    reset: () => ask("POST", "/emulator/reset"),
    stop: async () => {
      child.kill();
      await once(child, "exit");
    },
  };
}
