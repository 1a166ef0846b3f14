import { type Action, confirm, type Schema } from "./api.ts";
import { compact, type Json, write } from "./json.ts";

/** The same call on each interface. The input is the form's. */
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
    csharp: `var output = await client.${action.dotnet_method}(${csharpOf(input, action.input_schema, 0)});`,
    cli: `mixpanel ${action.name.replaceAll("_", "-")} --input ${shellQuoted(body)}${action.has_secret ? " --secret-out secret.txt" : ""}${isAsked ? " --yes" : ""}`,
    mcp: mcpOf(action, input),
  };
}

/** The input with the confirmation that HTTP requires for irreversible actions. */
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

/** Within single quotes, a shell interprets nothing but the single quote itself. */
export function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function pascal(name: string): string {
  return name.replace(/[^A-Za-z0-9]+/g, "_").split("_").filter(Boolean).map((word) => word[0]!.toUpperCase() + word.slice(1)).join("");
}

function csharpOf(json: Json, schema: Schema | undefined, depth: number, type = schema?.["x-dotnet"]?.type ?? ""): string {
  const pad = "    ".repeat(depth + 1);
  const close = "    ".repeat(depth);
  const known = alternative(json, schema);
  const inner = typeArguments(type);
  if (type === "JsonElement") return `JsonElement.Parse(${csharpText(compact(json))})`;
  switch (json.kind) {
    case "literal":
      return wrapped(json, schema, type === "decimal" && json.text !== "null" ? `${json.text}m` : json.text);
    case "string":
      return wrapped(json, schema, known?.enum && type !== "string" ? `${type}.${pascal(json.value)}` : type === "DateOnly" ? dateOf(json.value) : csharpText(json.value));
    case "array": {
      if (type === "JsonArray") return `JsonNode.Parse(${csharpText(compact(json))})!.AsArray()`;
      const parts = json.items.map((item) => csharpOf(item, known?.items, depth + 1, inner[0]));
      return among(parts, "[", "]", pad, close);
    }
    case "object": {
      if (!known?.properties && inner.length === 2) return `new ${type.slice(type.indexOf("Dictionary"))}${among(json.entries.map(([name, item]) => `[${csharpText(name)}] = ${csharpOf(item, valueSchema(known), depth + 1, inner[1])}`), " { ", " }", pad, close)}`;
      if (!known?.properties) return jsonObject(json);
      const named = json.entries.filter(([name]) => name in known.properties!);
      const others = json.entries.filter(([name]) => !(name in known.properties!));
      const parts = named.map(([name, item]) => `${known.properties![name]!["x-dotnet"]?.name ?? pascal(name)} = ${csharpOf(item, known.properties![name], depth + 1)}`);
      if (others.length > 0) parts.push(`Other = ${jsonObject({ kind: "object", entries: others })}`);
      return `new()${among(parts, " { ", " }", pad, close)}`;
    }
  }
}

/** On one line if it is short. */
function among(parts: string[], open: string, end: string, pad: string, close: string): string {
  const line = `${open}${parts.join(", ")}${end}`;
  if (line.length < 80 && !line.includes("\n")) return line;
  const inner = `${parts.map((part) => pad + part).join(",\n")},\n${close}${end.trim()}`;
  return open === "[" ? `[\n${inner}` : `\n${close}{\n${inner}`;
}

/** The type arguments of a generic type. */
function typeArguments(type: string): string[] {
  const start = type.indexOf("<");
  if (start < 0) return [];
  const found: string[] = [];
  let [depth, from] = [0, start + 1];
  for (let at = from; at < type.length; at++) {
    if (type[at] === "<") depth++;
    if ((type[at] === "," && depth === 0) || at === type.length - 1) {
      found.push(type.slice(from, at).trim());
      from = at + 1;
    }
    if (type[at] === ">") depth--;
  }
  return found;
}

function valueSchema(schema: Schema | undefined): Schema | undefined {
  return typeof schema?.additionalProperties === "object" ? (schema.additionalProperties as Schema) : undefined;
}

function dateOf(text: string): string {
  const date = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text);
  return date ? `new(${date.slice(1).map(Number).join(", ")})` : `DateOnly.Parse(${csharpText(text)})`;
}

/** The alternative of a schema that matches the value. */
function alternative(json: Json, schema: Schema | undefined): Schema | undefined {
  return schema?.anyOf ? (schema.anyOf.find((shape) => typesOf(shape).includes(json.kind)) ?? schema) : schema;
}

/** An object may be given as a single value for short; in .NET, its type is still that object. */
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

/** A raw string literal if the text allows one, because it is easiest to read. */
function csharpText(text: string): string {
  if (!text.includes('"') && !text.includes("\\") && !/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(text)) return `"${text}"`;
  if (!/[\u0000-\u001f\u007f-\u009f\u2028\u2029]|"""|"$|^"/.test(text)) return `"""${text}"""`;
  return `"${text.replace(/["\\\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, (character) => (character === '"' || character === "\\" ? `\\${character}` : `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`))}"`;
}
