import { get, items, type Json, shown } from "../json.ts";
import type { Reason } from "../live.ts";

export interface InspectedColumn {
  name: string;
  type: string;
  samples: string[];
}

export interface Proposal {
  format: string;
  map: Record<string, string>;
  rename: Record<string, string>;
  event: string;
  fix: string[];
  accepted: number;
  note: string;
}

export interface Inspection {
  form: string;
  isRows: boolean;
  records: number;
  refused: number;
  reasons: Reason[];
  columns: InspectedColumn[];
  proposal?: Proposal;
  problem: string;
}

export function inspectionOf(json: Json, file: string): Inspection {
  const text = (of: Json | undefined, name: string) => shown(get(of, name));
  const proposal = get(json, "proposal");
  const columns = items(get(json, "columns")).map((one) => ({ name: text(one, "name"), type: text(one, "type"), samples: items(get(one, "samples")).map(shown) }));
  const delimiter = text(json, "delimiter");
  const form = [text(json, "format") || "unknown format", delimiter && `${delimiter} between cells`, text(json, "line_ends") && `lines end with ${text(json, "line_ends")}`, text(json, "encoding"), text(json, "compression")].filter(Boolean).join(", ");
  return {
    form,
    isRows: !columns.some(({ name }) => name.startsWith(inProperties)),
    records: Number(text(json, "records") || "0"),
    refused: Number(text(json, "refused") || "0"),
    reasons: reasonsOf(get(json, "reasons")),
    columns,
    proposal: proposal && proposal.kind === "object" ? {
      format: text(proposal, "format"),
      map: textsOf(get(proposal, "map")),
      rename: textsOf(get(proposal, "rename")),
      // What the server looks at has no name: the file's stands in its place.
      event: text(proposal, "event") === "body" ? nameOf(file) : text(proposal, "event"),
      fix: items(get(proposal, "fix")).map(shown),
      accepted: Number(text(proposal, "accepted") || "0"),
      note: text(proposal, "note"),
    } : undefined,
    problem: text(json, "problem"),
  };
}

export const inProperties = "properties.";

export const reasonsOf = (json: Json | undefined): Reason[] => items(json).map((one) => ({
  code: shown(get(one, "code")),
  field: shown(get(one, "field")) || null,
  count: Number(shown(get(one, "count")) || "0"),
  samples: items(get(one, "samples")).map((sample) => ({ place: shown(get(sample, "place")), message: shown(get(sample, "message")) })),
}));

const nameOf = (file: string) => file.split(".")[0]!.trim().replace(/^\$+/, "") || "Event";

const textsOf = (json: Json | undefined): Record<string, string> => Object.fromEntries(json?.kind === "object" ? json.entries.map(([name, value]) => [name, shown(value)]) : []);
