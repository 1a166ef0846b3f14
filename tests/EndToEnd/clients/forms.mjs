// What an action's form sends after it was filled with an input, as JSON. Arguments: the console's address, a file with a list of actions and inputs.
import { readFileSync } from "node:fs";
import { consoleCode } from "./code.mjs";

const [, , address, file] = process.argv;
const { confirmed, fieldsOf, get, inputOf, items, parse, shown, write } = await consoleCode();
const { actions } = await (await fetch(`${address}v1/actions`)).json();
const filled = items(parse(readFileSync(file, "utf8"))).map((row) => {
  const action = actions.find(({ name }) => name === shown(get(row, "action")));
  const { input, faults } = inputOf(action.input_schema, fieldsOf(action.input_schema, get(row, "input")));
  return { sent: write(action.needs_confirmation ? confirmed(input) : input), faults };
});
console.log(JSON.stringify(filled));
