import { useEffect, useState, useSyncExternalStore } from "react";
import { headers, problemOf } from "./api.ts";

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
  /** Whether the sender was told. */
  told: boolean;
  record: string;
}

export interface ImportJob {
  id: string;
  status: "queued" | "running" | "finished" | "stopped" | "cancelled" | "failed";
  type: string;
  source_id: string;
  created: string;
  bytes: number;
  progress?: { read: number; accepted: number; rejected: number; requests: number; retries: number; input_bytes: number; waiting: boolean };
  report?: { read: number; accepted: number; rejected: number; pending: number; blank: number; bytes: number; requests: number; retries: number; elapsed_seconds: number; dead_letter: string | null; exit_code: number };
  problem?: string;
}

export interface Live {
  state: "connecting" | "open" | "broken";
  events: SeenEvent[];
  rejections: Rejection[];
  imports: ImportJob[];
  /** Seconds of the epoch, and what came in each: accepted and rejected. */
  rate: Map<number, [accepted: number, rejected: number]>;
  /** How many records each import had read, and when, in milliseconds. */
  paces: Map<string, [time: number, read: number][]>;
}

interface Line {
  accepted?: number;
  rejected?: number;
  events?: Omit<SeenEvent, "id">[];
  rejections?: Omit<Rejection, "id">[];
  imports?: ImportJob[];
}

const mostEvents = 2000;
const mostRejections = 1000;
export const secondsOfRate = 120;
const mostPaces = 600;
const longestSilence = 40_000;

let live: Live = { state: "connecting", events: [], rejections: [], imports: [], rate: new Map(), paces: new Map() };
const listeners = new Set<() => void>();
let next = 0;
let stop: AbortController | undefined;

export function useLive(): Live {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => live,
  );
}

/** Draws again each second: what is shown goes by the clock, also when nothing comes. */
export function useSeconds() {
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => tick((count) => count + 1), 1000);
    return () => clearInterval(timer);
  }, []);
}

/** Begins to listen, once; the one who calls again begins anew. */
export function listen() {
  stop?.abort();
  stop = new AbortController();
  void run(stop.signal);
}

async function run(signal: AbortSignal) {
  for (let failures = 0; !signal.aborted; ) {
    const began = Date.now();
    // The server says something every 15 seconds; a connection without a word is dead.
    const silence = new AbortController();
    let timer = setTimeout(() => silence.abort(), longestSilence);
    try {
      const response = await fetch("/v1/live", { headers: headers(), signal: AbortSignal.any([signal, silence.signal]), cache: "no-store" });
      if (!response.ok) throw await problemOf(response);
      failures = 0;
      let isFirst = true;
      for await (const line of lines(response.body!)) {
        clearTimeout(timer);
        timer = setTimeout(() => silence.abort(), longestSilence);
        if (line === "") continue;
        const parsed = JSON.parse(line) as Line;
        // The latest is told at the beginning, also what was seen before the connection broke.
        if (parsed.events && isFirst) {
          isFirst = false;
          change({ events: [], rejections: [] });
        }
        add(parsed);
      }
    } catch {
      failures++;
    } finally {
      clearTimeout(timer);
    }
    if (signal.aborted) return;
    // A stream ends after ten minutes, and is begun anew at once.
    if (failures === 0 && Date.now() - began > longestSilence) continue;
    change({ state: "broken" });
    await new Promise((resolve) => setTimeout(resolve, Math.min(1000 * 2 ** failures, 15_000)));
  }
}

/** The lines of a body, as they come. Whoever stops reading ends the transfer. */
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
  const now = Date.now();
  const changes: Partial<Live> = { state: "open" };
  if (line.events && line.events.length > 0) changes.events = [...line.events.map((event) => ({ ...event, id: next++ })).reverse(), ...live.events].slice(0, mostEvents);
  if (line.rejections && line.rejections.length > 0) changes.rejections = [...line.rejections.map((rejection) => ({ ...rejection, id: next++ })).reverse(), ...live.rejections].slice(0, mostRejections);
  if (line.accepted || line.rejected) {
    const second = Math.floor(now / 1000);
    const rate = new Map([...live.rate].filter(([at]) => at > second - secondsOfRate));
    const [accepted, rejected] = rate.get(second) ?? [0, 0];
    changes.rate = rate.set(second, [accepted + (line.accepted ?? 0), rejected + (line.rejected ?? 0)]);
  }
  if (line.imports) {
    changes.imports = line.imports;
    const paces = new Map(live.paces);
    for (const job of line.imports) if (job.progress) paces.set(job.id, [...(paces.get(job.id) ?? []), [now, job.progress.read] as [number, number]].slice(-mostPaces));
    changes.paces = paces;
  }
  change(changes);
}

function change(changes: Partial<Live>) {
  live = { ...live, ...changes };
  for (const listener of listeners) listener();
}
