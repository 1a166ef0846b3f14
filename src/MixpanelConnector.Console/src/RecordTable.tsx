import { Button, Checkbox, Group, Paper, Text } from "@mantine/core";
import { type KeyboardEvent, memo, type PointerEvent, type ReactNode, useCallback, useMemo, useRef, useState } from "react";
import { number } from "./data/numbers.ts";
import { setState, useRoute } from "./route.ts";

const step = 200;
const [narrowest, widest] = [60, 900];

export interface Column<T> {
  key: string;
  title: string;
  cell: (record: T) => ReactNode;
  /** What it is sorted by; without it, it is not. */
  sort?: (record: T) => string | number;
  /** Its first width in pixels; the last column takes what is left. */
  width: number;
  /** Whether it is shown only when it is asked for. */
  isExtra?: boolean;
}

/** Records beside the one that is looked at. Arrow keys, Home and End go through them; a click on a title sorts, and its edge makes a column wider. How it is sorted and which columns are shown stands in the address. */
export function RecordTable<T extends { id: number | string }>({ label, records, columns, detail, empty, tone }: {
  label: string;
  records: T[];
  columns: Column<T>[];
  detail: (record: T) => ReactNode;
  empty: ReactNode;
  /** A class for what a record's row looks like. */
  tone?: (record: T) => string | undefined;
}) {
  const { state } = useRoute();
  const [most, setMost] = useState(step);
  const [widths, setWidths] = useState<Record<string, number>>({});
  // The record is kept, not only its id: what is looked at stays although newer ones have pushed it out of the list.
  const [selected, setSelected] = useState<T>();
  const body = useRef<HTMLTableSectionElement>(null);
  const sort = state.get("sort") ?? "";
  const chosen = state.get("columns") ?? "";
  const shownColumns = useMemo(() => {
    const names = chosen.split(",");
    const found = columns.filter(({ key, isExtra }) => (chosen === "" ? !isExtra : names.includes(key)));
    return found.length > 0 ? found : columns;
  }, [columns, chosen]);
  const sorted = useMemo(() => sortedBy(records, columns, sort), [records, columns, sort]);
  const shown = sorted.slice(0, most);
  const ids = useRef(shown);
  ids.current = shown;
  const focusable = shown.some(({ id }) => id === selected?.id) ? selected?.id : shown[0]?.id;

  /** The focus goes back to where it came from. */
  function close() {
    const row = shown.findIndex(({ id }) => id === selected?.id);
    setSelected(undefined);
    (body.current?.rows[Math.max(row, 0)] as HTMLElement | undefined)?.focus();
  }

  const onKey = useCallback((event: KeyboardEvent<HTMLTableRowElement>) => {
    const records = ids.current;
    const index = event.currentTarget.sectionRowIndex;
    const to = { ArrowDown: index + 1, ArrowUp: index - 1, Home: 0, End: records.length - 1 }[event.key];
    if (to !== undefined && records[to]) {
      event.preventDefault();
      setSelected(records[to]);
      (body.current?.rows[to] as HTMLElement | undefined)?.focus();
    } else if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      setSelected(records[index]);
    } else if (event.key === "Escape") setSelected(undefined);
  }, []);
  const widthOf = (column: Column<T>) => widths[column.key] ?? column.width;
  const widen = (column: Column<T>, by: number) => setWidths((before) => ({ ...before, [column.key]: Math.min(widest, Math.max(narrowest, (before[column.key] ?? column.width) + by)) }));

  if (records.length === 0 && !selected) return <Paper withBorder p="xl">{empty}</Paper>;
  return (
    <div className={selected ? "records with-detail" : "records"}>
      <Paper withBorder className="list">
        <div className="scroll">
          <table aria-label={label} role="grid" style={{ minWidth: shownColumns.reduce((sum, column) => sum + widthOf(column), 0) }}>
            <colgroup>{shownColumns.map((column, index) => <col key={column.key} style={index === shownColumns.length - 1 && widths[column.key] === undefined ? undefined : { width: widthOf(column) }} />)}</colgroup>
            <thead>
              <tr>
                {shownColumns.map((column) => (
                  <th key={column.key} scope="col" aria-sort={sort === column.key ? "ascending" : sort === `-${column.key}` ? "descending" : undefined}>
                    <Heading column={column} sort={sort} widen={(by) => widen(column, by)} />
                  </th>
                ))}
              </tr>
            </thead>
            <tbody ref={body}>
              {shown.map((record) => (
                <Row key={record.id} record={record} columns={shownColumns as Column<never>[]} isSelected={record.id === selected?.id} isFocusable={record.id === focusable} tone={tone?.(record)} onSelect={setSelected as (record: { id: number | string }) => void} onKey={onKey} />
              ))}
            </tbody>
          </table>
        </div>
        <Group justify="space-between" p={6} gap="xs">
          <ColumnChoice columns={columns} shown={shownColumns} />
          {sorted.length > most && <Button variant="subtle" size="compact-sm" onClick={() => setMost(most + step)}>Show {number(Math.min(step, sorted.length - most))} more of {number(sorted.length)}</Button>}
        </Group>
        {records.length === 0 && <Text p="md" c="dimmed">No matching records.</Text>}
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

/** Drawn again only when it changes: new records come many times a second. */
const Row = memo(function Row({ record, columns, isSelected, isFocusable, tone, onSelect, onKey }: {
  record: { id: number | string };
  columns: Column<never>[];
  isSelected: boolean;
  isFocusable: boolean;
  tone: string | undefined;
  onSelect: (record: { id: number | string }) => void;
  onKey: (event: KeyboardEvent<HTMLTableRowElement>) => void;
}) {
  return (
    <tr className={tone} tabIndex={isFocusable ? 0 : -1} aria-selected={isSelected} onClick={() => onSelect(record)} onKeyDown={onKey}>
      {columns.map((column) => <td key={column.key}>{column.cell(record as never)}</td>)}
    </tr>
  );
});

function Heading<T>({ column, sort, widen }: { column: Column<T>; sort: string; widen: (by: number) => void }) {
  const last = useRef(0);
  const next = sort === column.key ? `-${column.key}` : sort === `-${column.key}` ? "" : column.key;

  function onKey(event: KeyboardEvent) {
    const by = event.shiftKey ? { ArrowLeft: -20, ArrowRight: 20 }[event.key] : undefined;
    if (by === undefined) return;
    event.preventDefault();
    widen(by);
  }

  function onDrag(event: PointerEvent<HTMLElement>) {
    if (!event.currentTarget.hasPointerCapture(event.pointerId)) return;
    widen(event.clientX - last.current);
    last.current = event.clientX;
  }

  return (
    <>
      {column.sort ? <button type="button" title="Sort; Shift with an arrow key resizes the column" onClick={() => setState({ sort: next })} onKeyDown={onKey}>{column.title}<i aria-hidden="true">{sort === column.key ? " ↑" : sort === `-${column.key}` ? " ↓" : ""}</i></button> : column.title}
      <span className="edge" aria-hidden="true" onPointerDown={(event) => { event.currentTarget.setPointerCapture(event.pointerId); last.current = event.clientX; }} onPointerMove={onDrag} />
    </>
  );
}

function ColumnChoice<T>({ columns, shown }: { columns: Column<T>[]; shown: Column<T>[] }) {
  const keys = shown.map(({ key }) => key);

  function toggle(key: string) {
    const after = columns.filter((column) => (column.key === key) !== keys.includes(column.key)).map((column) => column.key);
    const isUsual = after.join() === columns.filter(({ isExtra }) => !isExtra).map((column) => column.key).join();
    if (after.length > 0) setState({ columns: isUsual ? "" : after.join() });
  }

  return (
    <details className="choice">
      <summary>Columns</summary>
      <div>{columns.map((column) => <Checkbox key={column.key} size="xs" label={column.title} checked={keys.includes(column.key)} onChange={() => toggle(column.key)} />)}</div>
    </details>
  );
}

function sortedBy<T>(records: T[], columns: Column<T>[], sort: string): T[] {
  const by = columns.find(({ key }) => key === sort.replace(/^-/, ""))?.sort;
  if (!by) return records;
  const direction = sort.startsWith("-") ? -1 : 1;
  return records
    .map((record) => [by(record), record] as const)
    .sort(([one], [other]) => direction * (typeof one === "number" && typeof other === "number" ? one - other : String(one).localeCompare(String(other), "en", { numeric: true })))
    .map(([, record]) => record);
}
