import { get, items, type Json, shown } from "../json.ts";
import { addDays, daysIn, endOf, type Range, timeOf, type Unit } from "./dates.ts";

/** Numbers over time. */
export interface Series {
  label: string;
  values: (number | null)[];
  /** The total over the whole range, if there is one. */
  total?: number | undefined;
}

export interface Chart {
  /** The times as in the report, in the project's time zone. */
  labels: string[];
  series: Series[];
}

/** What is counted: only events and sums of numbers can be added up over time. A user seen on two days is one user. */
export type Measure = "general" | "unique" | "average" | "sum" | "mean";

const isAdditive = (measure: Measure) => measure === "general" || measure === "sum";

const sumOf = (values: (number | null)[]) => values.reduce<number>((sum, value) => sum + (value ?? 0), 0);

/** Converts a report of series and values. If names are given, only these are shown, in their order. */
export function chartOf(answer: Json, measure: Measure, names?: string[]): Chart {
  const labels = items(get(answer, "series")).map(shown);
  const values = get(answer, "values");
  const found = names ?? (values?.kind === "object" ? values.entries.map(([name]) => name) : []);
  return {
    labels,
    series: found.map((name) => {
      const numbers = labels.map((label) => numberOr(get(get(values, name), label), 0));
      return { label: name, values: numbers, total: isAdditive(measure) ? sumOf(numbers) : undefined };
    }),
  };
}

/** Converts a report of one number for each time. */
export function numbersOf(answer: Json, label: string, measure: Measure): Chart {
  const results = get(answer, "results");
  const entries = results?.kind === "object" ? [...results.entries].sort(([one], [other]) => (one < other ? -1 : 1)) : [];
  const values = entries.map(([, value]) => numberOr(value, null));
  return { labels: entries.map(([at]) => at), series: [{ label, values, total: isAdditive(measure) ? sumOf(values) : undefined }] };
}

/** Converts the sums and counts of a property by the values of another. Units without events have the sum 0, and no average. */
export function numbersByValueOf(answer: Json, measure: Measure, unit: Unit, { from, to }: Range): Chart {
  const days = Array.from({ length: Math.max(0, daysIn(from, to)) }, (_, day) => addDays(from, day));
  const labels = unit === "hour" ? days.flatMap((day) => Array.from({ length: 24 }, (_, hour) => `${day} ${String(hour).padStart(2, "0")}:00:00`)) : days;
  return {
    labels,
    series: items(items(get(answer, "results"))[0]).map((value) => {
      const numbers = new Map(items(get(value, "times")).map((time): [string, number] => {
        const [start, sum, count] = items(time).map((one) => Number(shown(one)));
        return [timeOf(start! / 1000).slice(0, unit === "hour" ? undefined : 10), measure === "mean" ? sum! / count! : sum!];
      }));
      const values = labels.map((label) => numbers.get(label) ?? (isAdditive(measure) ? 0 : null));
      return { label: shown(get(value, "name")), values, total: isAdditive(measure) ? sumOf(values) : undefined };
    }),
  };
}

function numberOr(json: Json | undefined, otherwise: number | null): number | null {
  const text = shown(json);
  return text === "" ? otherwise : Number(text);
}

/** Whether the last unit of a chart is not over yet, so its number can still grow. */
export const isUnfinished = (labels: string[], unit: Unit, nowOnWall: number) => labels.length > 0 && endOf(labels.at(-1)!, unit) > nowOnWall;

/** A chart as CSV. A text that a spreadsheet would treat as a formula is prefixed with a quote. */
export function csvOf(chart: Chart, first = "time"): string {
  const rows = [[first, ...chart.series.map(({ label }) => label)], ...chart.labels.map((label, row) => [label, ...chart.series.map(({ values }) => values[row] ?? "")])];
  return `${rows.map((row) => row.map(csvCell).join(",")).join("\r\n")}\r\n`;
}

export function csvCell(value: string | number): string {
  if (typeof value === "number") return String(value);
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
