import { confirm, type Schema } from "./api.ts";
import { typesOf } from "./calls.ts";
import { from, get, type Json, JsonError, parse, write } from "./json.ts";

/** What a form holds: the text of each field; the items where a field is a list of texts. */
export type Fields = Record<string, string | string[]>;

/** The fields of a form. The yes to what cannot be undone is no such field: a dialog asks for it. */
export const formFields = (schema: Schema) => Object.entries(schema.properties ?? {}).filter(([name, field]) => !(name === confirm && field.const === true));

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
  for (const [name, field] of formFields(schema)) {
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
  for (const [name, field] of formFields(schema)) {
    const value = fields[name] ?? "";
    const isRequired = schema.required?.includes(name) && field.default === undefined;
    if (value.length === 0) {
      // A list that is needed may be empty, where the schema does not say otherwise.
      if (isRequired && Array.isArray(value) && !field.minItems) entries.push([name, { kind: "array", items: [] }]);
      else if (isRequired) faults[name] = "This is required.";
      continue;
    }
    try {
      entries.push([name, read(field, value)]);
    } catch (error) {
      faults[name] = error instanceof JsonError || error instanceof RangeError ? error.message : "This is not valid.";
    }
  }
  return { input: { kind: "object", entries }, faults };
}

function read(field: Schema, value: string | string[]): Json {
  const kind = kindOf(field);
  const wrong = fault(field, kind, value);
  if (wrong !== undefined) throw new RangeError(wrong);
  if (Array.isArray(value)) return { kind: "array", items: value.map((item) => ({ kind: "string", value: item })) };
  if (kind === "choice" && Number.isInteger(field.enum?.[0])) return parse(value.trim());
  if (kind === "text" || kind === "choice") return { kind: "string", value };
  return parse(value.trim());
}

/** What a field asks for beside its type, in a few words; nothing when it asks for no more. */
export function limitsOf(field: Schema): string | undefined {
  if (field.format === "date") return "YYYY-MM-DD";
  const parts = [range(field.minimum, field.maximum, ""), range(field.minLength, field.maxLength, " characters"), range(field.minItems, field.maxItems, " items")];
  return parts.filter(Boolean).join(", ") || undefined;
}

function range(least: number | undefined, most: number | undefined, unit: string): string {
  if (least === undefined && most === undefined) return "";
  if (most === undefined) return `at least ${least}${unit}`;
  return least === undefined || least === 0 ? `at most ${most}${unit}` : least === most ? `exactly ${most}${unit}` : `${least} to ${most}${unit}`;
}

/** Why a value does not do, as far as the schema tells; the server has the last word. */
function fault(field: Schema, kind: Kind, value: string | string[]): string | undefined {
  if (Array.isArray(value)) return isOutside(value.length, field.minItems, field.maxItems) ? `This must have ${range(field.minItems, field.maxItems, " items")}.` : undefined;
  if (kind === "number") {
    if (!/^-?\d+(\.\d+)?$/.test(value.trim())) return "This must be a number.";
    return isOutside(Number(value), field.minimum, field.maximum) ? `This must be ${range(field.minimum, field.maximum, "")}.` : undefined;
  }
  if (kind !== "text") return undefined;
  if (field.format === "date" && !/^\d{4}-\d\d-\d\d$/.test(value)) return "This must be a date, such as 2026-01-31.";
  if (isOutside([...value].length, field.minLength, field.maxLength)) return `This must have ${range(field.minLength, field.maxLength, " characters")}.`;
  return undefined;
}

const isOutside = (value: number, least = -Infinity, most = Infinity) => value < least || value > most;
