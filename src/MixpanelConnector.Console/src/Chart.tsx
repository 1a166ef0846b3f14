import "uplot/dist/uPlot.min.css";
import { Table, useComputedColorScheme } from "@mantine/core";
import { useEffect, useMemo, useRef, useState } from "react";
import uPlot from "uplot";
import { palettes, refused } from "./data/colours.ts";
import { secondsOf } from "./data/dates.ts";
import { number, tickLabels } from "./data/numbers.ts";
import type { Chart as Data } from "./data/series.ts";
import { visible } from "./text.ts";

/** Numbers over time: a picture with the values under the pointer, a legend that shows and hides, and the same as a table. The last point may be of a unit that is not over: what leads to it is dashed. */
export function Chart({ label, data, unfinished = false, height = 260, refusals, from }: {
  label: string;
  data: Data;
  unfinished?: boolean;
  height?: number;
  /** The series that is of what was refused. */
  refusals?: number;
  /** A number below which the axis does not begin by itself: counts begin with 0. */
  from?: number;
}) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(null);
  const scheme = useComputedColorScheme("light");
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const [at, setAt] = useState<{ index: number; left: number } | undefined>();
  const names = JSON.stringify(data.series.map(({ label }) => label));
  const count = data.series.length;
  const isOfDays = data.labels[0]?.length === 10;
  const isWhole = data.series.every(({ values }) => values.every((value) => value === null || Number.isInteger(value)));
  const colourOf = (index: number) => (index === refusals ? refused[scheme] : palettes[scheme][index % palettes[scheme].length]!);
  const drawn = useMemo(() => drawnOf(data, unfinished), [data, unfinished]);
  const latest = useRef(drawn);
  latest.current = drawn;

  useEffect(() => {
    const element = place.current!;
    const ink = scheme === "dark" ? "#c9c9c9" : "#495057";
    const grid = { stroke: scheme === "dark" ? "#36393f" : "#e9ecef", width: 1 };
    const axis = { stroke: ink, grid, ticks: grid, font: "12px system-ui" };
    const line = (index: number, dash?: number[]): uPlot.Series => ({ stroke: colourOf(index), width: 2, ...(dash ? { dash } : {}), points: { show: (_, __, first, last) => last - first < 40, size: 6, fill: colourOf(index) }, spanGaps: false });
    const created = new uPlot(
      {
        width: Math.max(element.clientWidth, 100),
        height,
        tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"), // the times are those of a wall clock already
        padding: [10, 26, 0, 0],
        legend: { show: false },
        cursor: { y: false, points: { size: 9 }, drag: { x: false, y: false } },
        scales: { y: { range: (_, least, most) => [Math.min(from ?? 0, least ?? 0), Math.max((most ?? 0) * 1.08, 1)] } },
        axes: [{ ...axis, values: clock, ...(isOfDays ? { incrs: daysOfAxis } : {}) }, { ...(isWhole ? { incrs: wholeNumbers } : {}), ...axis, size: 60, values: (_, ticks) => tickLabels(ticks) }],
        series: [{}, ...data.series.map((_, index) => line(index)), ...data.series.map((_, index) => line(index, [5, 5]))],
        hooks: {
          setCursor: [(self) => setAt(self.cursor.idx === null || self.cursor.idx === undefined || self.cursor.left === undefined || self.cursor.left < 0 ? undefined : { index: self.cursor.idx, left: self.valToPos(self.data[0][self.cursor.idx]!, "x") + self.bbox.left / devicePixelRatio })],
        },
      },
      latest.current,
      element,
    );
    plot.current = created;
    const observer = new ResizeObserver(() => created.setSize({ width: Math.max(element.clientWidth, 100), height }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      created.destroy();
      plot.current = null;
    };
  }, [scheme, height, names, refusals, isOfDays, isWhole]);

  useEffect(() => plot.current?.setData(drawn), [drawn]);

  useEffect(() => {
    data.series.forEach(({ label }, index) => {
      for (const series of [index + 1, index + 1 + count]) if (plot.current!.series[series]!.show === hidden.has(label)) plot.current!.setSeries(series, { show: !hidden.has(label) });
    });
  }, [hidden, names, scheme, height, refusals, isOfDays, isWhole]);

  const shown = at !== undefined && at.index < data.labels.length ? at : undefined;
  return (
    <figure className="chart" aria-label={label}>
      <div className="plot">
        <div ref={place} aria-hidden="true" />
        {shown && (
          <div className={shown.left > (place.current?.clientWidth ?? 0) / 2 ? "tip before" : "tip"} style={{ left: shown.left }} aria-hidden="true">
            <b>{data.labels[shown.index]}{unfinished && shown.index === data.labels.length - 1 ? ", incomplete" : ""}</b>
            {data.series.map((one, index) => !hidden.has(one.label) && <span key={index}><i style={{ background: colourOf(index) }} /><em>{visible(one.label)}</em><b>{shownNumber(one.values[shown.index])}</b></span>)}
          </div>
        )}
      </div>
      <figcaption>
        <ul className="legend">
          {data.series.map((one, index) => (
            <li key={one.label}>
              <button type="button" aria-pressed={!hidden.has(one.label)} onClick={() => setHidden((before) => toggled(before, one.label))}>
                <i style={{ background: colourOf(index) }} />
                {visible(one.label)} {one.total !== undefined && <b>{number(one.total)}</b>}
              </button>
            </li>
          ))}
        </ul>
        <AsTable label={label} data={data} unfinished={unfinished} />
      </figcaption>
    </figure>
  );
}

function AsTable({ label, data, unfinished }: { label: string; data: Data; unfinished: boolean }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>View as table</summary>
      {isOpen && <div className="scroll" tabIndex={0} role="region" aria-label={`${label}, as a table`}>
        <Table striped>
          <Table.Thead>
            <Table.Tr>
              <Table.Th scope="col">Time</Table.Th>
              {data.series.map((one, index) => <Table.Th scope="col" key={index} ta="right">{visible(one.label)}</Table.Th>)}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {data.labels.map((at, row) => (
              <Table.Tr key={row}>
                <Table.Th scope="row">{at}{unfinished && row === data.labels.length - 1 ? ", incomplete" : ""}</Table.Th>
                {data.series.map((one, index) => <Table.Td key={index} ta="right">{shownNumber(one.values[row])}</Table.Td>)}
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </div>}
    </details>
  );
}

const shownNumber = (value: number | null | undefined) => (value === null || value === undefined ? "none" : number(value));

function toggled(before: ReadonlySet<string>, one: string): ReadonlySet<string> {
  const after = new Set(before);
  if (!after.delete(one)) after.add(one);
  return after;
}

/** Each series twice: up to the last finished unit, and from there on. */
function drawnOf({ labels, series }: Data, unfinished: boolean): uPlot.AlignedData {
  const last = labels.length - 1;
  const whole = (values: (number | null)[]) => (unfinished && last > 0 ? values.map((value, index) => (index === last ? null : value)) : values);
  const rest = (values: (number | null)[]) => values.map((value, index) => (unfinished && last > 0 && index >= last - 1 ? value : null));
  return [labels.map(secondsOf), ...series.map(({ values }) => whole(values)), ...series.map(({ values }) => rest(values))] as uPlot.AlignedData;
}

// Between two days there is no time, and between two whole numbers no count.
const daysOfAxis = [1, 2, 3, 5, 7, 10, 14, 30, 61, 91, 183, 365, 730, 1826].map((days) => days * 86400);
const wholeNumbers = Array.from({ length: 13 }, (_, power) => [1, 2, 5].map((step) => step * 10 ** power)).flat();

/** Dates as ISO writes them, and 24 hours in a day. */
const clock: uPlot.Axis.Values = [
  [86400 * 365, "{YYYY}", null, null, null, null, null, null, 1],
  [86400 * 28, "{YYYY}-{MM}", null, null, null, null, null, null, 1],
  [86400, "{MM}-{DD}", "\n{YYYY}", null, null, null, null, null, 1],
  [60, "{HH}:{mm}", "\n{YYYY}-{MM}-{DD}", null, "\n{MM}-{DD}", null, null, null, 1],
  [1, "{HH}:{mm}:{ss}", "\n{YYYY}-{MM}-{DD}", null, "\n{MM}-{DD}", null, null, null, 1],
];
