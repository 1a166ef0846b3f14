#!/usr/bin/env node
// npx mixpanel-emulator [OPTIONS]: the options are those of `mixpanel emulator`.
import { spawn } from "node:child_process";
import { toolCommand } from "./emulator.mjs";

const [command, ...before] = toolCommand();
const child = spawn(command, [...before, "emulator", ...process.argv.slice(2)], { stdio: "inherit" });
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal));
child.on("error", (error) => {
  console.error(`The command mixpanel cannot be run: ${error.message}. Install the tool (dotnet tool install -g MixpanelConnector.Tool), or say in MIXPANEL_TOOL where it is.`);
  process.exitCode = 1;
});
child.on("exit", (code, signal) => (signal ? process.kill(process.pid, signal) : (process.exitCode = code)));
