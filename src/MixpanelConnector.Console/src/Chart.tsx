import "uplot/dist/uPlot.min.css";
import { Table, useComputedColorScheme } from "@mantine/core";
import { useEffect, useMemo, useRef, useState } from "react";
import uPlot from "uplot";
import { number, visible } from "./parts.tsx";

export interface Series {
  label: string;
  values: (number | null)[];
}

// Told apart by people who do not see all colours, on light and dark ground.
const colours = ["#7048e8", "#0b7285", "#d9480f", "#2b8a3e", "#c2255c", "#5c7cfa", "#a07200", "#868e96"];
export const colourOf = (index: number) => colours[index % colours.length]!;

/** Series over time: a picture, its legend, and the same as a table for those who want numbers or cannot see the picture. */
export function Chart({ label, seconds, series, height = 240, summary = "sum" }: { label: string; seconds: number[]; series: Series[]; height?: number; summary?: "sum" | "latest" }) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(null);
  const scheme = useComputedColorScheme("light");
  const [asTable, setAsTable] = useState(false);
  const names = JSON.stringify(series.map(({ label }) => label));
  const data = useMemo<uPlot.AlignedData>(() => [seconds, ...series.map(({ values }) => values)] as uPlot.AlignedData, [seconds, series]);
  const latest = useRef(data);
  latest.current = data;

  useEffect(() => {
    const element = place.current!;
    const ink = scheme === "dark" ? "#c9c9c9" : "#495057";
    const grid = { stroke: scheme === "dark" ? "#3b3b3b" : "#e9ecef", width: 1 };
    const axis = { stroke: ink, grid, ticks: grid, font: "12px system-ui" };
    const created = new uPlot(
      {
        width: Math.max(element.clientWidth, 100),
        height,
        legend: { show: false },
        cursor: { y: false, points: { size: 7 } },
        scales: { y: { range: (_, __, max) => [0, Math.max(max * 1.1, 1)] } },
        axes: [{ ...axis, values: clock }, { ...axis, size: 64, values: (_, ticks) => ticks.map((tick) => (Number.isInteger(tick) ? short(tick) : "")) }],
        series: [
          {},
          ...(JSON.parse(names) as string[]).map((name, index) => ({ label: name, stroke: colourOf(index), fill: `${colourOf(index)}1f`, width: 2, points: { show: latest.current[0].length < 40, size: 5 } })),
        ],
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
  }, [scheme, height, names]);

  useEffect(() => plot.current?.setData(data), [data]);

  return (
    <figure className="chart" aria-label={label}>
      <div ref={place} aria-hidden="true" />
      <figcaption>
        <ul className="legend">
          {series.map((one, index) => (
            <li key={one.label}>
              <i style={{ background: colourOf(index) }} />
              {visible(one.label)} <b>{number(summary === "sum" ? one.values.reduce<number>((sum, value) => sum + (value ?? 0), 0) : (one.values.at(-1) ?? 0))}</b>
            </li>
          ))}
        </ul>
        <details onToggle={(event) => setAsTable(event.currentTarget.open)}>
          <summary>As a table</summary>
          {asTable && <div className="scroll" tabIndex={0} role="region" aria-label={`${label}, as a table`}>
            <Table striped>
              <Table.Thead>
                <Table.Tr>
                  <Table.Th scope="col">Time</Table.Th>
                  {series.map((one) => <Table.Th scope="col" key={one.label}>{visible(one.label)}</Table.Th>)}
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {seconds.map((second, row) => (
                  <Table.Tr key={second}>
                    <Table.Th scope="row">{new Date(second * 1000).toLocaleString("en-GB")}</Table.Th>
                    {series.map((one) => <Table.Td key={one.label}>{number(one.values[row] ?? 0)}</Table.Td>)}
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </div>}
        </details>
      </figcaption>
    </figure>
  );
}

/** Dates as ISO writes them, and 24 hours in a day. */
const clock: uPlot.Axis.Values = [
  [86400 * 365, "{YYYY}", null, null, null, null, null, null, 1],
  [86400 * 28, "{YYYY}-{MM}", null, null, null, null, null, null, 1],
  [86400, "{MM}-{DD}", "\n{YYYY}", null, null, null, null, null, 1],
  [60, "{HH}:{mm}", "\n{YYYY}-{MM}-{DD}", null, "\n{MM}-{DD}", null, null, null, 1],
  [1, "{HH}:{mm}:{ss}", "\n{YYYY}-{MM}-{DD}", null, "\n{MM}-{DD}", null, null, null, 1],
];

function short(value: number): string {
  return Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 }).format(value);
}
