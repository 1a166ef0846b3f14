import { type Action, confirm, type Schema } from "./api.ts";
import { compact, type Json, write } from "./json.ts";

/** The same call at each door. The input is what the form holds. */
export interface Calls {
  curl: string;
  csharp: string;
  cli: string;
  mcp: string;
}

export function callsOf(action: Action, input: Json, origin: string, withKey: boolean): Calls {
  const body = compact(input);
  const isAsked = action.needs_confirmation;
  return {
    curl: `curl ${origin}/v1/actions/${action.name}${withKey ? ' \\\n  --header "Authorization: Bearer $MIXPANEL_CONNECTOR_KEY"' : ""} \\\n  --json ${shellQuoted(isAsked ? compact(confirmed(input)) : body)}`,
    csharp: `var output = await client.${action.dotnet.method}(${csharpOf(input, action.input_schema, 0, action.dotnet.enums)});`,
    cli: `mixpanel ${action.name.replaceAll("_", "-")} --input ${shellQuoted(body)}${action.has_secret ? " --secret-out secret.txt" : ""}${isAsked ? " --yes" : ""}`,
    mcp: mcpOf(action, input),
  };
}

/** The input with the yes that HTTP wants for what cannot be undone. */
export function confirmed(input: Json): Json {
  return input.kind === "object" ? { kind: "object", entries: [...input.entries, [confirm, { kind: "literal", text: "true" }]] } : input;
}

function mcpOf(action: Action, input: Json): string {
  if (action.agents === "never") return `${action.name} cannot be undone, and is not offered to agents.`;
  const name: Json = { kind: "string", value: action.name };
  const params: [string, Json][] = action.agents === "tool"
    ? [["name", name], ["arguments", input]]
    : [["name", { kind: "string", value: "run_action" }], ["arguments", { kind: "object", entries: [["action", name], ["input", input]] }]];
  return write({ kind: "object", entries: [["method", { kind: "string", value: "tools/call" }], ["params", { kind: "object", entries: params }]] });
}

/** Within single quotes a shell leaves everything alone but the single quote itself. */
export function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function pascal(name: string): string {
  return name.replace(/[^A-Za-z0-9]+/g, "_").split("_").filter(Boolean).map((word) => word[0]!.toUpperCase() + word.slice(1)).join("");
}

function csharpOf(json: Json, schema: Schema | undefined, depth: number, enums: Record<string, string> = {}): string {
  const pad = "    ".repeat(depth + 1);
  const close = "    ".repeat(depth);
  const known = alternative(json, schema);
  switch (json.kind) {
    case "literal":
      return wrapped(json, schema, json.text === "null" ? "null" : json.text);
    case "string":
      return wrapped(json, schema, csharpText(json.value));
    case "array": {
      const parts = json.items.map((item) => csharpOf(item, known?.items, depth + 1));
      const line = `[${parts.join(", ")}]`;
      return line.length < 80 && !line.includes("\n") ? line : `[\n${parts.map((part) => pad + part).join(",\n")},\n${close}]`;
    }
    case "object": {
      if (!known?.properties) return jsonObject(json);
      const named = json.entries.filter(([name]) => name in known.properties!);
      const others = json.entries.filter(([name]) => !(name in known.properties!));
      const parts = named.map(([name, item]) => `${pascal(name)} = ${item.kind === "string" && enums[name] ? `${enums[name]}.${pascal(item.value)}` : csharpOf(item, known.properties![name], depth + 1)}`);
      if (others.length > 0) parts.push(`Other = ${jsonObject({ kind: "object", entries: others })}`);
      const line = `new() { ${parts.join(", ")} }`;
      return line.length < 80 && !line.includes("\n") ? line : `new()\n${close}{\n${parts.map((part) => pad + part).join(",\n")},\n${close}}`;
    }
  }
}

/** Of several shapes that a value may have, the one that it has. */
function alternative(json: Json, schema: Schema | undefined): Schema | undefined {
  return schema?.anyOf ? (schema.anyOf.find((shape) => typesOf(shape).includes(json.kind)) ?? schema) : schema;
}

/** Where an object can be written short, as a single value, its type in .NET is that object still. */
function wrapped(json: Json, schema: Schema | undefined, text: string): string {
  const whole = schema?.anyOf?.find((shape) => shape.properties);
  const name = whole?.required?.[0];
  return name === undefined || json.kind === "object" ? text : `new() { ${pascal(name)} = ${text} }`;
}

export function typesOf(schema: Schema): string[] {
  return schema.type === undefined ? [] : Array.isArray(schema.type) ? schema.type : [schema.type];
}

function jsonObject(json: Json): string {
  return json.kind === "object" && json.entries.length === 0 ? "[]" : `JsonNode.Parse(${csharpText(compact(json))})!.AsObject()`;
}

/** A raw literal reads best, where the text allows one. */
function csharpText(text: string): string {
  if (!text.includes('"') && !text.includes("\\") && !/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(text)) return `"${text}"`;
  if (!/[\u0000-\u001f\u007f-\u009f\u2028\u2029]|"""|"$|^"/.test(text)) return `"""${text}"""`;
  return `"${text.replace(/["\\\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, (character) => (character === '"' || character === "\\" ? `\\${character}` : `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`))}"`;
}
