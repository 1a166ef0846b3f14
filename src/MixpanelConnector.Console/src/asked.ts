import { useCallback, useEffect, useRef, useState } from "react";
import { type Action, actions, type Problem } from "./api.ts";
import { asProblem } from "./parts.tsx";

/** The state of a request: its value or its problem. Only the latest request counts. */
export interface Asked<T> {
  value?: T | undefined;
  problem?: Problem | undefined;
  isBusy: boolean;
  /** Sends the request (again); the previous value stays until the answer arrives. */
  ask: () => void;
}

/** Sends a request when the question is first set, and again when it changes; null sends none. The question is a text key for everything that the answer depends on. */
export function useAsked<T>(question: string | null, answer: () => Promise<T>): Asked<T> {
  const [found, setFound] = useState<{ question?: string | null; value?: T; problem?: Problem }>({});
  const [isBusy, setBusy] = useState(question !== null);
  const run = useRef(0);
  const latest = useRef(answer);
  latest.current = answer;

  const ask = useCallback(() => {
    const mine = ++run.current;
    setBusy(true);
    latest.current().then(
      (value) => {
        if (mine !== run.current) return;
        setFound({ question, value });
        setBusy(false);
      },
      (error: unknown) => {
        if (mine !== run.current) return;
        setFound({ question, problem: asProblem(error) });
        setBusy(false);
      },
    );
  }, [question]);

  useEffect(() => {
    if (question !== null) ask();
    else setBusy(false);
    return () => void run.current++;
  }, [ask]);

  return { value: found.value, problem: found.problem, isBusy, ask };
}

let known: Promise<Action[]> | undefined;

/** The server's actions: a large answer, which is requested once. */
export function allActions(): Promise<Action[]> {
  return (known ??= actions().catch((error: unknown) => {
    known = undefined;
    throw error;
  }));
}

export const useActions = () => useAsked("actions", allActions);
