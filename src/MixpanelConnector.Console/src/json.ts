/** JSON that keeps numbers as they are written: JavaScript's own parser would change the large ones. */
export type Json =
  | { kind: "object"; entries: [string, Json][] }
  | { kind: "array"; items: Json[] }
  | { kind: "string"; value: string }
  | { kind: "literal"; text: string };

export class JsonError extends Error {
  constructor(message: string, readonly line: number, readonly column: number) {
    super(`Line ${line}, column ${column}: ${message}`);
  }
}

const deepest = 200;
const literal = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;
const string = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;

export function parse(text: string): Json {
  let at = 0;

  function fail(message: string): never {
    const before = text.slice(0, at).split("\n");
    throw new JsonError(message, before.length, before.at(-1)!.length + 1);
  }

  function skip() {
    while (at < text.length && " \t\r\n".includes(text[at]!)) at++;
  }

  function take(pattern: RegExp): string | undefined {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0];
    if (found !== undefined) at += found.length;
    return found;
  }

  function text_(): string {
    return JSON.parse(take(string) ?? fail("expected a string in double quotes")) as string;
  }

  /** Items between brackets, separated by commas. */
  function list(end: string, item: () => void) {
    at++;
    skip();
    if (text[at] === end) {
      at++;
      return;
    }
    for (;;) {
      skip();
      item();
      skip();
      if (text[at] === end) {
        at++;
        return;
      }
      if (text[at] !== ",") fail(`expected a comma or ${end}`);
      at++;
    }
  }

  function value(depth: number): Json {
    if (depth > deepest) fail("nested too deeply");
    skip();
    switch (text[at]) {
      case "{": {
        const entries: [string, Json][] = [];
        list("}", () => {
          const name = text_();
          skip();
          if (text[at] !== ":") fail("expected a colon");
          at++;
          entries.push([name, value(depth + 1)]);
        });
        return { kind: "object", entries };
      }
      case "[": {
        const items: Json[] = [];
        list("]", () => items.push(value(depth + 1)));
        return { kind: "array", items };
      }
      case '"':
        return { kind: "string", value: text_() };
      default:
        return { kind: "literal", text: take(literal) ?? fail("expected a value") };
    }
  }

  const result = value(0);
  skip();
  if (at < text.length) fail("unexpected text after the value");
  return result;
}

export function write(json: Json, indent = ""): string {
  const inner = indent + "  ";
  switch (json.kind) {
    case "object":
      return json.entries.length === 0 ? "{}" : `{\n${json.entries.map(([name, item]) => `${inner}${JSON.stringify(name)}: ${write(item, inner)}`).join(",\n")}\n${indent}}`;
    case "array":
      return json.items.length === 0 ? "[]" : `[\n${json.items.map((item) => inner + write(item, inner)).join(",\n")}\n${indent}]`;
    case "string":
      return JSON.stringify(json.value);
    case "literal":
      return json.text;
  }
}

export function compact(json: Json): string {
  switch (json.kind) {
    case "object":
      return `{${json.entries.map(([name, item]) => `${JSON.stringify(name)}:${compact(item)}`).join(",")}}`;
    case "array":
      return `[${json.items.map(compact).join(",")}]`;
    default:
      return write(json);
  }
}

export function get(json: Json | undefined, name: string): Json | undefined {
  return json?.kind === "object" ? json.entries.find(([key]) => key === name)?.[1] : undefined;
}

export function items(json: Json | undefined): Json[] {
  return json?.kind === "array" ? json.items : [];
}

/** A value as people read it: texts without quotes, null as nothing. */
export function shown(json: Json | undefined): string {
  if (json === undefined || (json.kind === "literal" && json.text === "null")) return "";
  return json.kind === "string" ? json.value : compact(json);
}

/** Makes what JavaScript holds into JSON, for values that are no user's data. */
export function from(value: unknown): Json {
  return parse(JSON.stringify(value));
}
