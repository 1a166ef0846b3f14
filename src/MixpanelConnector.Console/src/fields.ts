import type { Schema } from "./api.ts";
import { typesOf } from "./calls.ts";
import { from, get, type Json, JsonError, parse, write } from "./json.ts";

/** What a form holds: the text of each field; the items where a field is a list of texts. */
export type Fields = Record<string, string | string[]>;

/** How a field is filled in. */
type Kind = "text" | "choice" | "number" | "boolean" | "texts" | "json";

export function kindOf(schema: Schema): Kind {
  const types = typesOf(schema).filter((type) => type !== "null");
  if (schema.enum) return "choice";
  if (types.length === 1 && types[0] === "array") return schema.items && typesOf(schema.items).join() === "string" ? "texts" : "json";
  if (types.length !== 1) return "json";
  return types[0] === "string" ? "text" : types[0] === "integer" || types[0] === "number" ? "number" : types[0] === "boolean" ? "boolean" : "json";
}

/** A form that begins with the values of an object. */
export function fieldsOf(schema: Schema, values: Json): Fields {
  const fields: Fields = {};
  for (const [name, field] of Object.entries(schema.properties ?? {})) {
    const value = get(values, name) ?? (field.default === undefined ? undefined : from(field.default));
    const kind = kindOf(field);
    if (kind === "texts") fields[name] = value?.kind === "array" ? value.items.map((item) => (item.kind === "string" ? item.value : write(item))) : [];
    else if (value === undefined || (value.kind === "literal" && value.text === "null")) fields[name] = "";
    else fields[name] = kind !== "json" && value.kind === "string" ? value.value : write(value);
  }
  return fields;
}

/** The input that a form holds, with the fields that cannot be read and why. Numbers stay as they are written. */
export function inputOf(schema: Schema, fields: Fields): { input: Json; faults: Record<string, string> } {
  const entries: [string, Json][] = [];
  const faults: Record<string, string> = {};
  for (const [name, field] of Object.entries(schema.properties ?? {})) {
    const value = fields[name] ?? "";
    const isRequired = schema.required?.includes(name) && field.default === undefined;
    if (value.length === 0) {
      if (isRequired) faults[name] = "This is needed.";
      continue;
    }
    try {
      entries.push([name, read(kindOf(field), value)]);
    } catch (error) {
      faults[name] = error instanceof JsonError || error instanceof RangeError ? error.message : "This cannot be read.";
    }
  }
  return { input: { kind: "object", entries }, faults };
}

function read(kind: Kind, value: string | string[]): Json {
  if (Array.isArray(value)) return { kind: "array", items: value.map((item) => ({ kind: "string", value: item })) };
  if (kind === "text" || kind === "choice") return { kind: "string", value };
  if (kind === "number" && !/^-?\d+(\.\d+)?$/.test(value.trim())) throw new RangeError("This must be a number.");
  return parse(value.trim());
}
