import { useHotkeys } from "@mantine/hooks";
import { useMemo, useRef } from "react";
import { useParameter } from "./route.ts";

/** A search in what is already loaded: it sends no request. The / key focuses it, and its text is part of the address. */
export function useSearch(name = "search") {
  const [text, setText] = useParameter(name);
  const field = useRef<HTMLInputElement>(null);
  useHotkeys([["/", () => field.current?.focus()]]);
  const matches = useMemo(() => {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    return (...texts: string[]) => words.every((word) => texts.some((one) => one.toLowerCase().includes(word)));
  }, [text]);
  return { text, setText, field, matches };
}
