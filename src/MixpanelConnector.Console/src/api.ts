import { get, type Json, parse, shown } from "./json.ts";

/** What this server is connected to. */
export interface Server {
  mixpanel: "real" | "embedded";
  region: string | null;
  project_id: number | null;
  organization_id: number | null;
  scope: "read" | "write";
  version: string;
}

export interface Schema {
  type?: string | string[];
  description?: string;
  default?: unknown;
  enum?: unknown[];
  const?: unknown;
  format?: string;
  pattern?: string;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  required?: string[];
  properties?: Record<string, Schema>;
  items?: Schema;
  anyOf?: Schema[];
  additionalProperties?: unknown;
  /** The field's name and type in .NET. */
  "x-dotnet"?: { name: string; type: string };
}

export interface Action {
  name: string;
  title: string;
  group: string;
  description: string;
  remarks: string;
  effect: string;
  scope: "read" | "write";
  has_secret: boolean;
  operation_id: string;
  /** Whether a person must confirm it. */
  needs_confirmation: boolean;
  /** How agents can call it. */
  agents: "tool" | "run_action" | "never";
  example: unknown;
  dotnet_method: string;
  input_schema: Schema;
  output_schema: Schema;
}

/** A problem as the server reports it. */
export class Problem extends Error {
  constructor(readonly status: number, readonly kind: string, readonly title: string, detail: string, readonly field: string | undefined, readonly requestId?: string | undefined) {
    super(detail);
  }
}

/** The name of the field that confirms an irreversible action, next to the input. */
export const confirm = "confirm";

const keyName = "mixpanel-connector-key";

/** The key is kept for the lifetime of the tab. */
export const key = {
  get: () => sessionStorage.getItem(keyName) ?? "",
  set: (value: string) => sessionStorage.setItem(keyName, value),
};

export function headers(more: Record<string, string> = {}): Record<string, string> {
  return key.get() === "" ? more : { ...more, Authorization: `Bearer ${key.get()}` };
}

export async function problemOf(response: Response): Promise<Problem> {
  const text = await response.text();
  try {
    const json = parse(text);
    return new Problem(response.status, shown(get(json, "kind")), shown(get(json, "title")), shown(get(json, "detail")), shown(get(json, "field")) || undefined, shown(get(json, "request_id")) || undefined);
  } catch {
    return new Problem(response.status, "unknown", `The server returned ${response.status}`, text.slice(0, 500), undefined);
  }
}

export async function request(method: string, path: string, body?: string): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, { method, headers: headers(body === undefined ? {} : { "Content-Type": "application/json" }), body: body ?? null, cache: "no-store" });
  } catch {
    throw new Problem(0, "unreachable", "The server is not responding", "It may have been stopped. Start it again, then reload this page.", undefined);
  }
  if (!response.ok) throw await problemOf(response);
  return response;
}

/** Calls an action. The input is text, so that its numbers arrive exactly as written. */
export async function invoke(action: string, input: string): Promise<Json> {
  return parse(await (await request("POST", `/v1/actions/${action}`, input)).text());
}

export const server = async () => (await (await request("GET", "/v1/server")).json()) as Server;

export const actions = async () => ((await (await request("GET", "/v1/actions")).json()) as { actions: Action[] }).actions;
