import { headers, Problem, request } from "./api.ts";
import { get, items, type Json, parse, shown } from "./json.ts";

const contentTypes: [ending: RegExp, type: string][] = [
  [/\.(ndjson|jsonl)$/i, "application/x-ndjson"],
  [/\.json$/i, "application/json"],
  [/\.csv$/i, "text/csv"],
  [/\.tsv$/i, "text/tab-separated-values"],
  [/\.parquet$/i, "application/vnd.apache.parquet"],
  [/\.avro$/i, "application/avro"],
  [/\.zip$/i, "application/zip"],
];

/** Bytes of a file that are looked at: its first thousand records are in them. The end of a Parquet file and of an archive says where they lie. */
const looked = 16 << 20;
const readFromItsEnd = /\.(parquet|zip)$/i;
const mostLooked = 64_000_000;

/** What the server calls an import: its parameters. */
export interface Options {
  type: string;
  group_key: string;
  table_id: string;
  strict: boolean;
  format: string;
  /** Which column holds which field, by the field. */
  map: Record<string, string>;
  /** Properties' new names, by the old ones. */
  rename: Record<string, string>;
  drop: string[];
  event: string;
  fix: string[];
  decimal: string;
  /** Whose export it is; empty for Mixpanel's own form. */
  vendor: string;
  /** A mapping of one's own, as JSON; empty for none. */
  mapping: string;
  /** How the project tells users apart; empty for the usual way. */
  identity: string;
}

/** Those by which records become others, which are sent again with them. */
export type MappingOptions = Partial<Pick<Options, "vendor" | "mapping" | "identity" | "group_key">>;

/** How many records are shown before and after. */
const mostMapped = "10";

export const noOptions: Options = { type: "events", group_key: "", table_id: "", strict: true, format: "", map: {}, rename: {}, drop: [], event: "", fix: [], decimal: "", vendor: "", mapping: "", identity: "" };

export const isMapped = ({ vendor, mapping }: Options) => vendor !== "" || mapping !== "";

function queryOf(options: Options, more: Record<string, string>): string {
  const query = new URLSearchParams({ type: options.type, strict: options.strict ? "1" : "0" });
  if (options.type === "groups" || (isMapped(options) && options.type === "events" && options.group_key !== "")) query.set("group_key", options.group_key);
  if (options.type === "lookup-table") query.set("table_id", options.table_id);
  for (const name of ["format", "event", "decimal", "vendor", "mapping", "identity"] as const) if (options[name] !== "") query.set(name, options[name]);
  for (const [field, column] of Object.entries(options.map)) query.append("map", `${field}=${column}`);
  for (const [before, after] of Object.entries(options.rename)) query.append("rename", `${before}=${after}`);
  for (const name of options.drop) query.append("drop", name);
  for (const fix of options.fix) query.append("fix", fix);
  for (const [name, value] of Object.entries(more)) query.set(name, value);
  return query.toString();
}

/** What an import would see in the first records of a file. */
export const inspect = (file: File, options: Options): Promise<Json> => look(file, options, "inspect", {});

/** The first records of a file before and after the mapping. */
export const showMapping = (file: File, options: Options): Promise<Json> => look(file, options, "show-mapping", { show_mapping: mostMapped, name: nameOf(file.name) });

function look(file: File, options: Options, how: string, more: Record<string, string>): Promise<Json> {
  const isWhole = readFromItsEnd.test(file.name);
  if (isWhole && file.size > mostLooked) throw new Problem(0, "", "The file is too large to inspect", "Parquet files and archives must be inspected as a whole, and this server inspects at most 64 MB. You can still check and import the file.", undefined);
  return upload(isWhole ? file : file.slice(0, looked), typeOf(file.name, options), `/v1/imports/${how}?${queryOf(options, more)}`, () => {});
}

/** The vendors whose exports the server knows. */
export async function vendors(): Promise<string[]> {
  const start = get(get(get(parse(await (await request("GET", "/openapi.json")).text()), "paths"), "/v1/imports"), "post");
  const vendor = items(get(start, "parameters")).find((parameter) => shown(get(parameter, "name")) === "vendor");
  return items(get(get(vendor, "schema"), "enum")).map(shown);
}

/** Sends a file to be imported, or only to be checked. Gives the import. */
export const start = (file: File, options: Options, isDryRun: boolean, progress: (share: number) => void): Promise<Json> =>
  upload(file, typeOf(file.name, options), `/v1/imports?${queryOf(options, { name: nameOf(file.name), dry_run: String(isDryRun) })}`, progress);

/** Sends records anew that were refused before. */
export const sendAgain = (records: string[], name: string, type: string, mapping: MappingOptions): Promise<Json> =>
  upload(new Blob([records.join("\n")]), "application/x-ndjson", `/v1/imports?${queryOf({ ...noOptions, type, ...mapping }, { name: nameOf(name) })}`, () => {});

const nameOf = (name: string) => name.slice(0, 255);

/** A format that is named has the last word; a vendor's files are called by its own rules. */
const typeOf = (name: string, options: Options) => (options.format !== "" || isMapped(options) ? "application/octet-stream" : (contentTypes.find(([ending]) => ending.test(name))?.[1] ?? "application/octet-stream"));

/** XMLHttpRequest, for fetch does not say how much of a body has gone. */
function upload(body: Blob, type: string, path: string, progress: (share: number) => void): Promise<Json> {
  return new Promise((resolve, reject) => {
    const call = new XMLHttpRequest();
    call.open("POST", path);
    for (const [name, value] of Object.entries(headers())) call.setRequestHeader(name, value);
    call.setRequestHeader("Content-Type", type);
    call.upload.onprogress = (event) => progress(event.lengthComputable ? event.loaded / event.total : 0);
    call.onerror = () => reject(new Problem(0, "unreachable", "The upload failed", "The connection was lost, and nothing of the file was imported. Try again.", undefined));
    call.onload = () => {
      let json: Json | undefined;
      try {
        json = parse(call.responseText);
      } catch {
        // It is told as it is.
      }
      if (call.status < 300 && json) resolve(json);
      else if (json) reject(new Problem(call.status, shown(get(json, "kind")), shown(get(json, "title")), shown(get(json, "detail")), shown(get(json, "field")) || undefined));
      else reject(new Problem(call.status, "unknown", `The server returned ${call.status}`, call.responseText.slice(0, 300), undefined));
    };
    call.send(body);
  });
}
