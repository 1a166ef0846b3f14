// The calls that the console shows next to each action's example, as JSON. Argument: the console's address.
import { consoleCode } from "./code.mjs";

const [, , address] = process.argv;
const { callsOf, from, fieldsOf, inputOf } = await consoleCode();
const { actions } = await (await fetch(`${address}v1/actions`)).json();
const calls = {};
for (const action of actions) calls[action.name] = callsOf(action, inputOf(action.input_schema, fieldsOf(action.input_schema, from(action.example))).input, new URL(address).origin, false);
console.log(JSON.stringify(calls));
