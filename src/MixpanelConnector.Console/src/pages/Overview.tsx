import { Alert, Button, Group, NativeSelect, Paper, Skeleton, Stack, Table, TagsInput, Text, Title } from "@mantine/core";
import { IconPlayerPlay, IconRefresh } from "@tabler/icons-react";
import { useEffect, useMemo, useRef, useState } from "react";
import { invoke, type Problem } from "../api.ts";
import { Chart, type Series } from "../Chart.tsx";
import { useSession } from "../context.ts";
import { get, items, type Json, shown } from "../json.ts";
import { useLive, useSeconds } from "../live.ts";
import { asProblem, Empty, number, PageTitle, ProblemAlert, visible } from "../parts.tsx";

const ranges = [
  { label: "Last 60 minutes", unit: "minute", interval: 60 },
  { label: "Last 24 hours", unit: "hour", interval: 24 },
  { label: "Last 30 days", unit: "day", interval: 30 },
  { label: "Last 12 weeks", unit: "week", interval: 12 },
  { label: "Last 24 months", unit: "month", interval: 24 },
];
const counts = [
  { value: "general", label: "Events" },
  { value: "unique", label: "Users" },
  { value: "average", label: "Events per user" },
];
const mostEvents = 8;

type Kind = "chart" | "properties" | "values";

/** Events over time, and what properties they have. On a real account each look costs queries, of which there are 60 an hour: nothing is asked unasked. */
export function Overview() {
  const { server } = useSession();
  const isEmbedded = server.mixpanel === "embedded";
  const [range, setRange] = useState(ranges[2]!);
  const [type, setType] = useState("general");
  const [names, setNames] = useState<string[]>([]);
  const [chosen, setChosen] = useState<string[]>([]);
  const [chart, setChart] = useState<{ seconds: number[]; series: Series[] }>();
  const [event, setEvent] = useState("");
  const [properties, setProperties] = useState<[string, number][]>();
  const [property, setProperty] = useState("");
  const [values, setValues] = useState<[string, number][]>();
  const [problems, setProblems] = useState<Partial<Record<Kind, Problem>>>({});
  const [busy, setBusy] = useState<Partial<Record<Kind, boolean>>>({});
  const isBusy = busy.chart === true;
  const runs = useRef<Record<Kind, number>>({ chart: 0, properties: 0, values: 0 });
  const { events } = useLive();
  const units = type === "unique" ? ranges.filter(({ unit }) => unit !== "minute" && unit !== "hour") : ranges;

  async function work(kind: Kind, task: (isLatest: () => boolean) => Promise<void>) {
    const mine = ++runs.current[kind];
    const isLatest = () => mine === runs.current[kind];
    setBusy((before) => ({ ...before, [kind]: true }));
    try {
      await task(isLatest);
      if (isLatest()) setProblems((before) => ({ ...before, [kind]: undefined }));
    } catch (error) {
      if (isLatest()) setProblems((before) => ({ ...before, [kind]: asProblem(error) }));
    } finally {
      if (isLatest()) setBusy((before) => ({ ...before, [kind]: false }));
    }
  }

  const load = () =>
    work("chart", async (isLatest) => {
      const recent = items(get(await invoke("get_event_names", JSON.stringify({ type: "general", limit: 255 })), "names")).map(shown);
      // Mixpanel names those of the last 31 days; what was imported just now may be older.
      const found = [...new Set([...recent, ...events.map(({ event }) => event)])];
      if (!isLatest()) return;
      setNames(found);
      const shownNames = chosen.length > 0 ? chosen.map((one) => found.find((name) => visible(name) === one) ?? one) : found.slice(0, 5);
      setEvent((before) => (before !== "" && found.includes(before) ? before : (found[0] ?? "")));
      if (shownNames.length === 0) {
        setChart(undefined);
        return;
      }
      const answer = await invoke("query_event_counts", JSON.stringify({ events: shownNames, type, unit: range.unit, interval: range.interval }));
      if (isLatest()) setChart(chartOf(answer, shownNames));
    });

  const loadProperties = (name: string) =>
    work("properties", async (isLatest) => {
      const answer = await invoke("get_event_properties", JSON.stringify({ event: name, limit: 25 }));
      if (!isLatest()) return;
      const found = items(get(answer, "properties")).map((one): [string, number] => [shown(get(one, "name")), Number(shown(get(one, "count")))]);
      setProperties(found);
      setProperty((before) => (found.some(([known]) => known === before) ? before : ""));
    });

  const loadValues = (name: string, of: string) =>
    work("values", async (isLatest) => {
      const answer = await invoke("query_event_property_counts", JSON.stringify({ event: name, property: of, type: "general", unit: "month", interval: 24, limit: 20 }));
      if (!isLatest()) return;
      const found = get(answer, "values");
      setValues(found?.kind === "object" ? found.entries.map(([value, dates]): [string, number] => [value, sum(dates)]).sort((one, other) => other[1] - one[1]) : []);
    });

  const hasEvents = events.length > 0;
  const automatic = isEmbedded ? JSON.stringify([range, type, chosen, hasEvents]) : "";
  useEffect(() => {
    if (isEmbedded) void load();
  }, [automatic]);
  useEffect(() => {
    runs.current.properties++; // an answer that is on its way is about another event
    runs.current.values++;
    setBusy((before) => ({ ...before, properties: false, values: false }));
    setProperties(undefined);
    setProperty("");
    setValues(undefined);
    if (isEmbedded && event !== "") void loadProperties(event);
  }, [event]);
  useEffect(() => {
    setValues(undefined);
    if (isEmbedded && property !== "") void loadValues(event, property);
  }, [property]);

  return (
    <Stack>
      <PageTitle
        about={isEmbedded ? "Events over time, and what is in them." : "Events over time, and what is in them. Mixpanel allows 60 queries an hour, so nothing is asked until you say so."}
        right={<Button leftSection={isEmbedded ? <IconRefresh size={16} /> : <IconPlayerPlay size={16} />} variant="default" loading={isBusy} onClick={() => { void load(); if (isEmbedded && event !== "") void loadProperties(event); }}>{isEmbedded ? "Refresh" : "Ask (2 queries)"}</Button>}
      >
        Overview
      </PageTitle>
      {isEmbedded && <Now />}
      <ProblemAlert problem={problems.chart} />
      <Paper withBorder p="md">
        <Group align="end" mb="md">
          <NativeSelect label="Time" value={range.label} onChange={(change) => setRange(ranges.find(({ label }) => label === change.currentTarget.value)!)} data={units.map(({ label }) => label)} />
          <NativeSelect label="Count" value={type} onChange={(change) => {
            setType(change.currentTarget.value);
            if (change.currentTarget.value === "unique" && (range.unit === "minute" || range.unit === "hour")) setRange(ranges[2]!);
          }} data={counts} />
          <TagsInput label="Events" className="grow" placeholder={chosen.length === 0 ? "The five most common" : ""} data={names.map(visible)} value={chosen} onChange={setChosen} maxTags={mostEvents} comboboxProps={{ withinPortal: false }} clearable clearButtonProps={{ "aria-label": "Clear the events" }} />
        </Group>
        {chart?.series.every(({ values }) => values.every((value) => value === 0)) && <Text size="sm" c="dimmed" mb="xs">None of these happened in this time: a longer one may show more.</Text>}
        {chart ? <Chart label={`${counts.find(({ value }) => value === type)!.label} by ${range.unit}`} seconds={chart.seconds} series={chart.series} height={280} />
          : isBusy ? <Skeleton height={280} />
            : <Empty title={isEmbedded ? "No events yet" : "Nothing asked yet"}>{isEmbedded ? <>Send some: <code>mixpanel import FILE --local</code>, or the form of <a href="#/actions/track_event">track_event</a>.</> : "Press Ask to count the events of your project."}</Empty>}
      </Paper>
      <Paper withBorder p="md">
        <Group align="end" mb="md" justify="space-between">
          <Title order={2} size="h4">What is in an event</Title>
          <Group align="end">
            <NativeSelect label="Event" value={event} onChange={(change) => setEvent(change.currentTarget.value)} data={names.map((name) => ({ value: name, label: visible(name) }))} disabled={names.length === 0} />
            {!isEmbedded && <Button variant="default" disabled={event === ""} loading={busy.properties} onClick={() => void loadProperties(event)}>Ask (1 query)</Button>}
          </Group>
        </Group>
        <ProblemAlert problem={problems.properties ?? problems.values} />
        <div className="halves">
          <Bars title="Top properties" column="Property" rows={properties} selected={property} onSelect={isEmbedded ? setProperty : (name) => { setProperty(name); void loadValues(event, name); }} />
          {property !== "" && <Bars title={`Values of ${visible(property)}, last 24 months`} column="Value" rows={values} />}
        </div>
      </Paper>
      {!isEmbedded && <Alert color="gray" title="This is a real account">Live events and refusals are shown with the embedded Mixpanel alone: start the server with <code>--local</code> to see them.</Alert>}
    </Stack>
  );
}

/** What comes in now. */
function Now() {
  const { rate, events, rejections } = useLive();
  useSeconds();
  const now = Math.floor(Date.now() / 1000);
  const lastMinute = [...rate].filter(([second]) => second > now - 60).reduce<[number, number]>(([accepted, rejected], [, [a, r]]) => [accepted + a, rejected + r], [0, 0]);
  return (
    <div className="tiles" aria-live="off">
      <Tile label="Accepted in the last minute" value={number(lastMinute[0])} href="#/live" />
      <Tile label="Rejected in the last minute" value={number(lastMinute[1])} href="#/rejected" warns={lastMinute[1] > 0} />
      <Tile label="Latest event" value={events[0] ? visible(events[0].event) : "none yet"} href="#/live" />
      <Tile label="Latest refusal" value={rejections[0] ? visible(rejections[0].field || rejections[0].message) : "none"} href="#/rejected" warns={rejections.length > 0} />
    </div>
  );
}

function Tile({ label, value, href, warns = false }: { label: string; value: string; href: string; warns?: boolean }) {
  return (
    <a className={warns ? "tile warns" : "tile"} href={href}>
      <span>{label}</span>
      <b>{value}</b>
    </a>
  );
}

function Bars({ title, column, rows, selected, onSelect }: { title: string; column: string; rows: [string, number][] | undefined; selected?: string; onSelect?: (name: string) => void }) {
  const most = useMemo(() => Math.max(1, ...(rows ?? []).map(([, count]) => count)), [rows]);
  return (
    <div>
      <Title order={3} size="h5" mb="xs">{title}</Title>
      {rows === undefined ? <Text c="dimmed" size="sm">Nothing asked yet.</Text> : rows.length === 0 ? <Text c="dimmed" size="sm">None.</Text> : (
        <Table verticalSpacing={4}>
          <Table.Thead className="visually-hidden"><Table.Tr><Table.Th scope="col">{column}</Table.Th><Table.Th scope="col">Events</Table.Th></Table.Tr></Table.Thead>
          <Table.Tbody>
            {rows.map(([name, count]) => (
              <Table.Tr key={name}>
                <Table.Th scope="row" className="bar-cell">
                  <i className="bar" style={{ width: `${(100 * count) / most}%` }} />
                  {onSelect ? <button type="button" className="bar-name" aria-pressed={name === selected} onClick={() => onSelect(name)}>{visible(name)}</button> : <span className="bar-name">{visible(name)}</span>}
                </Table.Th>
                <Table.Td ta="right">{number(count)}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
    </div>
  );
}

function sum(dates: Json): number {
  return dates.kind === "object" ? dates.entries.reduce((total, [, count]) => total + Number(shown(count)), 0) : 0;
}

/** Dates are those of the project; without a time zone in them they are drawn as if it were this screen's. */
function chartOf(answer: Json, names: string[]): { seconds: number[]; series: Series[] } {
  const dates = items(get(answer, "series")).map(shown);
  const values = get(answer, "values");
  return {
    seconds: dates.map((date) => Math.floor(new Date(date.length === 10 ? `${date}T00:00:00` : date.replace(" ", "T")).valueOf() / 1000)),
    series: names.map((name) => ({ label: name, values: dates.map((date) => Number(shown(get(get(values, name), date)) || "0")) })),
  };
}
