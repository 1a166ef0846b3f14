import { useCallback, useSyncExternalStore } from "react";

/** The current location: the page, the rest of its path, and its state. All of it is in the address. */
export interface Route {
  path: string[];
  state: URLSearchParams;
}

let text: string | undefined;
let route: Route;
const listeners = new Set<() => void>();
const tell = () => listeners.forEach((listener) => listener());

/** The next address. The first change is applied immediately and later ones at an interval: browsers throttle address changes on every keystroke. */
let coming: string | undefined;
let timer: ReturnType<typeof setTimeout> | undefined;
let arrivedAt = -Infinity;
const interval = 200;

addEventListener("hashchange", () => {
  coming = undefined;
  clearTimeout(timer);
  tell();
});

function arrive() {
  if (coming !== undefined) history.replaceState(null, "", coming);
  coming = undefined;
  arrivedAt = performance.now();
}

function current(): Route {
  const hash = coming ?? location.hash;
  if (hash !== text) {
    text = hash;
    const [path, state] = text.replace(/^#\/?/, "").split("?", 2) as [string, string | undefined];
    route = { path: path.split("/").map(decoded), state: new URLSearchParams(state) };
  }
  return route;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export function useRoute(): Route {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, current);
}

export function addressOf(path: string, state: Record<string, string | string[]> = {}): string {
  const parts = Object.entries(state).flatMap(([name, value]) => (Array.isArray(value) ? value : [value]).filter((one) => one !== "").map((one) => [name, one]));
  return `#/${path}${parts.length === 0 ? "" : `?${new URLSearchParams(parts)}`}`;
}

/** Changes the state of the current page; empty values are left out. Going back leads to the previous page. */
export function setState(changes: Record<string, string | string[] | undefined>) {
  const { path, state } = current();
  const next = new URLSearchParams(state);
  for (const [name, value] of Object.entries(changes)) {
    next.delete(name);
    for (const one of Array.isArray(value) ? value : [value ?? ""]) if (one !== "") next.append(name, one);
  }
  const query = next.toString();
  coming = `#/${path.map(encodeURIComponent).join("/")}${query === "" ? "" : `?${query}`}`;
  clearTimeout(timer);
  const wait = arrivedAt + interval - performance.now();
  if (wait <= 0) arrive();
  else timer = setTimeout(arrive, wait);
  tell();
}

/** One parameter of the page's state. */
export function useParameter(name: string, otherwise = ""): [string, (value: string) => void] {
  const { state } = useRoute();
  const set = useCallback((value: string) => setState({ [name]: value === otherwise ? "" : value }), [name, otherwise]);
  return [state.get(name) ?? otherwise, set];
}
