import { Button, Group, Paper, Text } from "@mantine/core";
import { useHotkeys } from "@mantine/hooks";
import { type KeyboardEvent, type ReactNode, useRef, useState } from "react";
import { number } from "./parts.tsx";

const step = 200;

/** A search in what is on the screen already: nothing is asked for it. The key / leads there. */
export function useSearch() {
  const [text, setText] = useState("");
  const field = useRef<HTMLInputElement>(null);
  useHotkeys([["/", () => field.current?.focus()]]);
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return { text, setText, field, matches: (...texts: string[]) => words.every((word) => texts.some((one) => one.toLowerCase().includes(word))) };
}

/** Records beside the one that is looked at. Arrow keys, Home and End go through them. */
export function RecordList<T extends { id: number | string }>({ label, records, columns, cells, detail, empty }: {
  label: string;
  records: T[];
  columns: string[];
  cells: (record: T) => ReactNode[];
  detail: (record: T) => ReactNode;
  empty: ReactNode;
}) {
  const [most, setMost] = useState(step);
  // The record is kept, not only its id: what is looked at stays although newer ones have pushed it out of the list.
  const [selected, setSelected] = useState<T>();
  const body = useRef<HTMLTableSectionElement>(null);
  const shown = records.slice(0, most);
  const focusable = shown.some(({ id }) => id === selected?.id) ? selected?.id : shown[0]?.id;

  /** The focus goes back to where it came from. */
  function close() {
    const row = shown.findIndex(({ id }) => id === selected?.id);
    setSelected(undefined);
    (body.current?.rows[Math.max(row, 0)] as HTMLElement | undefined)?.focus();
  }

  function onKey(event: KeyboardEvent, index: number) {
    const to = { ArrowDown: index + 1, ArrowUp: index - 1, Home: 0, End: shown.length - 1 }[event.key];
    if (to !== undefined && shown[to]) {
      event.preventDefault();
      setSelected(shown[to]);
      (body.current?.rows[to] as HTMLElement | undefined)?.focus();
    } else if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      setSelected(shown[index]);
    } else if (event.key === "Escape") setSelected(undefined);
  }

  if (records.length === 0 && !selected) return <Paper withBorder p="xl">{empty}</Paper>;
  return (
    <div className={selected ? "records with-detail" : "records"}>
      <Paper withBorder className="list">
        <div className="scroll">
          <table aria-label={label} role="grid">
            <thead>
              <tr>{columns.map((column, index) => <th key={index} scope="col">{column}</th>)}</tr>
            </thead>
            <tbody ref={body}>
              {shown.map((record, index) => (
                <tr
                  key={record.id}
                  tabIndex={record.id === focusable ? 0 : -1}
                  aria-selected={record.id === selected?.id}
                  onClick={() => setSelected(record)}
                  onKeyDown={(event) => onKey(event, index)}
                >
                  {cells(record).map((cell, column) => <td key={column} data-label={columns[column]}>{cell}</td>)}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
        {records.length > most && <Button variant="subtle" fullWidth onClick={() => setMost(most + step)}>Show {number(Math.min(step, records.length - most))} more</Button>}
        {records.length === 0 && <Text p="md" c="dimmed">Nothing matches.</Text>}
      </Paper>
      {selected && (
        <Paper withBorder p="md" className="detail" role="region" aria-label="Selected" onKeyDown={(event: KeyboardEvent) => event.key === "Escape" && close()}>
          <Group justify="end" mb="xs"><Button size="compact-sm" variant="default" onClick={close}>Close</Button></Group>
          {detail(selected)}
        </Paper>
      )}
    </div>
  );
}
