// The calls that the console shows next to each action's example, as JSON. Argument: the console's address.
import { build } from "esbuild";

const [, , address] = process.argv;
const source = new URL("../../../src/MixpanelConnector.Console/src/", import.meta.url);
const made = await build({
  stdin: { contents: 'export { callsOf } from "./calls.ts"; export { from } from "./json.ts"; export { fieldsOf, inputOf } from "./fields.ts";', resolveDir: source.pathname, loader: "ts" },
  bundle: true,
  write: false,
  format: "esm",
});
const { callsOf, from, fieldsOf, inputOf } = await import(`data:text/javascript;base64,${Buffer.from(made.outputFiles[0].text).toString("base64")}`);
const { actions } = await (await fetch(`${address}v1/actions`)).json();
const calls = {};
for (const action of actions) calls[action.name] = callsOf(action, inputOf(action.input_schema, fieldsOf(action.input_schema, from(action.example))).input, new URL(address).origin, false);
console.log(JSON.stringify(calls));
