import type { Action } from "../api.ts";
import { get, parse } from "../json.ts";
import { addDays } from "./dates.ts";
import { propertyOf } from "./reports.ts";

/** What is known about a project's data. */
export interface Known {
  organization: number | null;
  /** The names of its events, the most common first. */
  events: string[];
  /** One of its events. */
  event?: { event: string; distinct_id: string; properties: string } | undefined;
  /** The days that have data. */
  from?: string | undefined;
  to?: string | undefined;
}

const longest = 30;

/** The documentation's example, with this project's names, ids and days filled in. Except for the organization, only for actions that read: others keep the example's ids, so that no real data is preselected. */
export function exampleOf(action: Pick<Action, "example" | "effect">, known: Known): Record<string, unknown> {
  const example = { ...((action.example ?? {}) as Record<string, unknown>) };
  const put = (name: string, value: unknown) => {
    if (name in example && value !== undefined && value !== null && value !== "") example[name] = value;
  };
  put("organization_id", known.organization);
  if (action.effect !== "read") return example;

  const name = known.event?.event ?? known.events[0];
  const property = propertyIn(known.event?.properties);
  put("event", name);
  put("born_event", name);
  if (known.events.length > 0) put("events", known.events.slice(0, 2));
  put("property", property);
  if (property !== undefined) {
    put("on", String(example["on"]).startsWith("number(") ? `number(${propertyOf(property)})` : propertyOf(property));
    if (example["where"] !== undefined) put("where", `defined(${propertyOf(property)})`);
  }
  put("distinct_id", known.event?.distinct_id);
  if (known.event?.distinct_id) put("distinct_ids", [known.event.distinct_id]);
  if (known.from && known.to && "from_date" in example && "to_date" in example) {
    const latest = addDays(known.to, 1 - longest);
    put("from_date", latest > known.from ? latest : known.from);
    put("to_date", known.to);
  }
  return example;
}

const usual = new Set(["time", "distinct_id", "token", "mp_processing_time_ms", "mp_country_code"]);

/** A custom property, not one of Mixpanel's own. */
function propertyIn(properties: string | undefined): string | undefined {
  if (properties === undefined) return undefined;
  try {
    const json = parse(properties);
    return json.kind === "object" ? json.entries.map(([name]) => name).find((name) => !name.startsWith("$") && !usual.has(name) && get(json, name)?.kind !== "object") : undefined;
  } catch {
    return undefined; // truncated
  }
}
