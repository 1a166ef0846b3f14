import { get, items, type Json, shown } from "../json.ts";

/** A record before and after its mapping. */
export interface MappedRecord {
  place: string;
  before: Json;
  after: MappedOutcome[];
}

/** One of those that a record becomes: what would be sent, or why nothing would be. */
export interface MappedOutcome {
  record?: Json;
  /** In a sentence; empty where all is well. */
  note: string;
  isRefused: boolean;
}

export interface Mapped {
  records: MappedRecord[];
  problem: string;
}

export function mappedOf(json: Json): Mapped {
  const records = items(get(json, "records")).map((one) => ({
    place: `${shown(get(one, "source"))}:${shown(get(one, "line"))}`,
    before: get(one, "before")!,
    after: items(get(one, "after")).map(outcomeOf),
  }));
  return { records, problem: shown(get(json, "problem")) };
}

function outcomeOf(json: Json): MappedOutcome {
  const [record, leftOut, code, message] = [get(json, "record"), shown(get(json, "left_out")), shown(get(json, "code")), shown(get(json, "message"))];
  return { ...(record ? { record } : {}), note: leftOut !== "" ? `Left out: ${leftOut}.` : code !== "" ? `Would be rejected (${code}): ${message}.` : "", isRefused: code !== "" };
}
