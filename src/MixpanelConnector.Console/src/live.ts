import { useEffect, useState, useSyncExternalStore } from "react";
import { headers, type Problem, problemOf } from "./api.ts";
import { type Sample, Seconds } from "./data/rate.ts";

export interface SeenEvent {
  id: number;
  event: string;
  time: string;
  distinct_id: string;
  insert_id: string;
  /** JSON as text: numbers stay as they were sent. */
  properties: string;
}

export interface Rejection {
  id: number;
  time: string;
  path: string;
  field: string;
  message: string;
  /** Whether the sender was told of it. */
  told: boolean;
  record: string;
}

export interface Reason {
  code: string;
  field: string | null;
  count: number;
  samples: { place: string; message: string }[];
}

export interface ImportJob {
  id: string;
  status: "queued" | "running" | "finished" | "stopped" | "cancelled" | "failed";
  type: string;
  name: string;
  source_id: string;
  created: string;
  bytes: number;
  dry_run: boolean;
  progress?: { read: number; accepted: number; rejected: number; requests: number; retries: number; input_bytes: number; elapsed_seconds: number; waiting: boolean };
  report?: { read: number; accepted: number; rejected: number; pending: number; blank: number; bytes: number; requests: number; retries: number; elapsed_seconds: number; dead_letter: string | null; exit_code: number; reasons?: Reason[] };
  problem?: string;
}

/** An import of the command line. */
export interface TerminalImport {
  /** How it ended; missing while it runs. Interrupted: its process ended first. */
  status?: "finished" | "stopped" | "interrupted";
  name: string;
  last_saved: string;
  read: number;
  accepted: number;
  rejected: number;
  percent?: number;
  seconds_left?: number;
  /** How long all its runs took. */
  elapsed_seconds?: number;
}

/** The refusals of a day in the project's time zone. */
export interface Today {
  day: string;
  rejected: number;
  reasons: { field: string; message: string; count: number }[];
}

export interface Live {
  /** down: the server does not answer. */
  state: "connecting" | "open" | "broken" | "down";
  /** Why it is broken, if the server tells. */
  problem?: Problem | undefined;
  /** Whether the project's data and the imports are known: until then, an empty list means nothing. */
  hasProject: boolean;
  hasImports: boolean;
  /** The latest of the events that were shown. */
  events: SeenEvent[];
  rejections: Rejection[];
  /** How many arrived since the page was opened, shown or not. */
  accepted: number;
  rejected: number;
  /** How many of them were shown. */
  shown: number;
  today?: Today;
  /** The project's time zone. */
  zone: string;
  /** The times of the earliest and the latest stored event. */
  first?: string | undefined;
  last?: string | undefined;
  /** The names of the stored events, the most common first. */
  names: string[];
  imports: ImportJob[];
  terminal: TerminalImport[];
  /** How many records each import had read, over time. */
  paces: Map<string, Sample[]>;
}

interface Line {
  accepted?: number;
  rejected?: number;
  events?: Omit<SeenEvent, "id">[];
  rejections?: Omit<Rejection, "id">[];
  imports?: ImportJob[];
  terminal?: TerminalImport[];
  today?: Today;
  time_zone?: string;
  names?: string[];
  first?: string;
  last?: string;
  seconds?: [second: number, accepted: number, rejected: number][];
}

const mostEvents = 2000;
const mostRejections = 1000;
const mostNames = 2000;
const mostSamples = 900;
const longestSilence = 40_000;
export const secondsOfRate = 120;

const nothing: Live = { state: "connecting", hasProject: false, hasImports: false, events: [], rejections: [], accepted: 0, rejected: 0, shown: 0, zone: "UTC", names: [], imports: [], terminal: [], paces: new Map() };
let live = nothing;

/** The counts of each second. Mutated in place, because views read it once a second. */
export const seconds = new Seconds(secondsOfRate);

const listeners = new Set<() => void>();
let next = 0;
let stop: AbortController | undefined;

function listen(listener: () => void) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The current state, or a selected part of it: a component is rendered again only when its part changes. */
export function useLive<T = Live>(select: (live: Live) => T = (all) => all as unknown as T): T {
  return useSyncExternalStore(listen, () => select(live));
}

/** The current second, updated each second, so that views advance even when nothing arrives. */
export function useSecond(): number {
  const [second, setSecond] = useState(() => Math.floor(Date.now() / 1000));
  useEffect(() => {
    const timer = setInterval(() => setSecond(Math.floor(Date.now() / 1000)), 1000);
    return () => clearInterval(timer);
  }, []);
  return second;
}

/** Starts listening; another call restarts it. */
export function begin() {
  stop?.abort();
  stop = new AbortController();
  void run(stop.signal);
}

async function run(signal: AbortSignal) {
  for (let failures = 0; !signal.aborted; ) {
    const began = Date.now();
    // The server sends something every 15 seconds; a silent connection is dead.
    const silence = new AbortController();
    let timer = setTimeout(() => silence.abort(), longestSilence);
    let isAnswered = false;
    let problem: Problem | undefined;
    try {
      const response = await fetch("/v1/live", { headers: headers(), signal: AbortSignal.any([signal, silence.signal]), cache: "no-store" });
      isAnswered = true;
      if (!response.ok) {
        problem = await problemOf(response);
        throw problem;
      }
      failures = 0;
      for await (const line of lines(response.body!)) {
        clearTimeout(timer);
        timer = setTimeout(() => silence.abort(), longestSilence);
        if (line !== "") add(JSON.parse(line) as Line);
      }
    } catch {
      failures++;
    } finally {
      clearTimeout(timer);
    }
    if (signal.aborted) return;
    // A stream ends after ten minutes, and is restarted at once.
    if (failures === 0 && Date.now() - began > longestSilence) continue;
    change({ state: isAnswered ? "broken" : "down", problem });
    await new Promise((resolve) => setTimeout(resolve, Math.min(500 * 2 ** failures, 15_000)));
  }
}

/** The lines of a body as they arrive. To stop reading cancels the transfer. */
export async function* lines(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  const reader = body.getReader();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      const parts = (rest + decoder.decode(value, { stream: true })).split("\n");
      rest = parts.pop()!;
      yield* parts;
    }
    if (rest !== "") yield rest;
  } finally {
    void reader.cancel().catch(() => {});
  }
}

function add(line: Line) {
  const second = Math.floor(Date.now() / 1000);
  const changes: Partial<Live> = { state: "open", problem: undefined };
  // The first line of a connection contains the history, including what was seen before a connection broke.
  const before = line.time_zone === undefined ? live : { ...live, events: [], rejections: [], first: line.first, last: line.last };
  if (line.time_zone !== undefined) {
    Object.assign(changes, { hasProject: true, zone: line.time_zone, names: line.names ?? [], first: line.first, last: line.last, events: [], rejections: [], accepted: 0, rejected: 0, shown: 0 });
    seconds.clear();
    for (const one of line.seconds ?? []) seconds.add(...one);
  } else if (line.accepted || line.rejected) {
    seconds.add(second, line.accepted ?? 0, line.rejected ?? 0);
    Object.assign(changes, { accepted: live.accepted + (line.accepted ?? 0), rejected: live.rejected + (line.rejected ?? 0), shown: live.shown + (line.events?.length ?? 0) });
  }
  if (line.events && line.events.length > 0) changes.events = [...line.events.map((event) => ({ ...event, id: next++ })).reverse(), ...before.events].slice(0, mostEvents);
  const unknown = new Set(line.events?.map(({ event }) => event));
  for (const name of changes.names ?? live.names) unknown.delete(name);
  if (unknown.size > 0) changes.names = [...(changes.names ?? live.names), ...unknown].slice(0, mostNames);
  if (line.rejections && line.rejections.length > 0) changes.rejections = [...line.rejections.map((rejection) => ({ ...rejection, id: next++ })).reverse(), ...before.rejections].slice(0, mostRejections);
  if (line.today) changes.today = line.today;
  if (line.first && (before.first === undefined || line.first < before.first)) changes.first = line.first;
  if (line.last && (before.last === undefined || line.last > before.last)) changes.last = line.last;
  if (line.imports) {
    changes.imports = line.imports;
    changes.hasImports = true;
    changes.terminal = line.terminal ?? [];
    changes.paces = new Map(line.imports.filter((job) => job.progress || live.paces.has(job.id)).map((job) => [job.id, pacesOf(job)]));
  }
  change(changes);
}

/** The samples of an import, of one run only: the next one counts from zero. */
function pacesOf(job: ImportJob): Sample[] {
  const before = live.paces.get(job.id) ?? [];
  if (!job.progress) return before;
  const { elapsed_seconds: at, read } = job.progress;
  const last = before.at(-1);
  if (last && at <= last[0]) return at === last[0] ? before : [[at, read]];
  return [...before, [at, read] as Sample].slice(-mostSamples);
}

function change(changes: Partial<Live>) {
  live = { ...live, ...changes };
  for (const listener of listeners) listener();
}
