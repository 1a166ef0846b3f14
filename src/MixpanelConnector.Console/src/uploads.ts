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
  [/\.(tgz|tar(\.gz|\.zst)?)$/i, "application/x-tar"],
];

/** The bytes of a file that are inspected; they contain its first thousand records. Parquet files and archives have their index at the end, so they are sent whole. */
const looked = 16 << 20;
const readFromItsEnd = /\.(parquet|zip|tgz|tar(\.gz|\.zst)?)$/i;
const mostLooked = 64_000_000;

/** The parameters of an import, as the server names them. */
export interface Options {
  type: string;
  group_key: string;
  table_id: string;
  strict: boolean;
  format: string;
  /** The column of each field. */
  map: Record<string, string>;
  /** The new names of properties, by the old ones. */
  rename: Record<string, string>;
  drop: string[];
  event: string;
  fix: string[];
  decimal: string;
  /** The vendor of the export; empty for Mixpanel's own format. */
  vendor: string;
  /** A custom mapping, as JSON; empty for none. */
  mapping: string;
  /** How the project manages identities; empty for the default. */
  identity: string;
}

/** The options that map records; rejected records are resent with them. */
export type MappingOptions = Partial<Pick<Options, "vendor" | "mapping" | "identity" | "group_key">>;

/** How many records are shown before and after mapping. */
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

/** Inspects the first records of a file as an import would see them. */
export const inspect = (file: File, options: Options): Promise<Json> => look(file, options, "inspect", {});

/** The first records of a file before and after the mapping. */
export const showMapping = (file: File, options: Options): Promise<Json> => look(file, options, "show-mapping", { show_mapping: mostMapped, name: nameOf(file.name) });

function look(file: File, options: Options, how: string, more: Record<string, string>): Promise<Json> {
  const isWhole = readFromItsEnd.test(file.name);
  if (isWhole && file.size > mostLooked) throw new Problem(0, "", "The file is too large to inspect", "Parquet files and archives must be inspected as a whole, and this server inspects at most 64 MB. You can still check and import the file.", undefined);
  return upload(isWhole ? file : file.slice(0, looked), typeOf(file.name, options), `/v1/imports/${how}?${queryOf(options, more)}`, () => {});
}

/** The vendors whose exports the server supports. */
export async function vendors(): Promise<string[]> {
  const start = get(get(get(parse(await (await request("GET", "/openapi.json")).text()), "paths"), "/v1/imports"), "post");
  const vendor = items(get(start, "parameters")).find((parameter) => shown(get(parameter, "name")) === "vendor");
  return items(get(get(vendor, "schema"), "enum")).map(shown);
}

/** Uploads a file to import it, or only to check it. Returns the import. */
export const start = (file: File, options: Options, isDryRun: boolean, progress: (share: number) => void): Promise<Json> =>
  upload(file, typeOf(file.name, options), `/v1/imports?${queryOf(options, { name: nameOf(file.name), dry_run: String(isDryRun) })}`, progress);

/** Resends records that were refused before. */
export const sendAgain = (records: string[], name: string, type: string, mapping: MappingOptions): Promise<Json> =>
  upload(new Blob([records.join("\n")]), "application/x-ndjson", `/v1/imports?${queryOf({ ...noOptions, type, ...mapping }, { name: nameOf(name) })}`, () => {});

const nameOf = (name: string) => name.slice(0, 255);

/** The content type by extension. Not with an explicit format, which takes precedence, or a mapping: vendors name files by their own rules. */
const typeOf = (name: string, options: Options) => (options.format !== "" || isMapped(options) ? "application/octet-stream" : (contentTypes.find(([ending]) => ending.test(name))?.[1] ?? "application/octet-stream"));

/** Uses XMLHttpRequest, because fetch does not report upload progress. */
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
        // Not JSON: the text is reported below.
      }
      if (call.status < 300 && json) resolve(json);
      else if (json) reject(new Problem(call.status, shown(get(json, "kind")), shown(get(json, "title")), shown(get(json, "detail")), shown(get(json, "field")) || undefined));
      else reject(new Problem(call.status, "unknown", `The server returned ${call.status}`, call.responseText.slice(0, 300), undefined));
    };
    call.send(body);
  });
}
