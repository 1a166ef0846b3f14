import { Alert, Button, Group, NativeSelect, Paper, Stack, Text, TextInput, Title } from "@mantine/core";
import { IconPlayerPlay, IconRefresh } from "@tabler/icons-react";
import { useMemo, useState } from "react";
import { invoke } from "../api.ts";
import { useAsked } from "../asked.ts";
import { Bars } from "../Bars.tsx";
import { Chart } from "../Chart.tsx";
import { useSession } from "../context.ts";
import { addDays, dayOf, firstRange, isDay, type Unit, unitFor, wall } from "../data/dates.ts";
import { number } from "../data/numbers.ts";
import { isUnfinished, type Measure } from "../data/series.ts";
import { get, items, shown } from "../json.ts";
import { seconds, useLive, useSecond } from "../live.ts";
import { Names } from "../Names.tsx";
import { Empty, Loading, PageTitle, ProblemAlert } from "../parts.tsx";
import { answer } from "../reports.ts";
import { addressOf, setState, useParameter, useRoute } from "../route.ts";
import { visible } from "../text.ts";

const measures: { value: Measure; label: string }[] = [
  { value: "general", label: "Events" },
  { value: "unique", label: "Users" },
  { value: "average", label: "Events per user" },
];
const mostEvents = 8;

/** Events over time, what was refused, and what is in an event. On a real account each look costs queries, of which there are 60 an hour: nothing is asked unasked. */
export function Overview() {
  const { server } = useSession();
  const isEmbedded = server.mixpanel === "embedded";
  const isKnown = useLive(({ hasProject }) => hasProject);
  const broken = useLive(({ state, problem }) => (state === "broken" ? problem : undefined));
  const zone = useLive(({ zone }) => zone);
  const names = useLive(({ names }) => names);
  return (
    <Stack>
      <PageTitle about={isEmbedded ? `Events over time and their properties. Days are in the project's time zone, ${zone}.` : "Events over time and their properties. Mixpanel allows 60 queries per hour, so queries run only when you start them."}>Overview</PageTitle>
      {isEmbedded && <Now />}
      <ProblemAlert problem={isKnown ? undefined : broken} />
      {isEmbedded && !isKnown ? !broken && <Paper withBorder p="md"><Loading height={380} /></Paper> : isEmbedded && names.length === 0 ? (
        <Paper withBorder p="xl"><Empty title="No events yet">Send some with <code>mixpanel import FILE --local</code>, on the <a href="#/imports">Imports</a> page, or with <a href="#/actions/track_event">track_event</a>. They appear here as they are stored.</Empty></Paper>
      ) : (
        <>
          <OverTime isEmbedded={isEmbedded} />
          {isEmbedded && <Refusals />}
          {isEmbedded && <InEvent />}
        </>
      )}
      {!isEmbedded && <Alert color="gray" title="Connected to a real account">Live events and rejected records are available only with the embedded Mixpanel: start the server with <code>--local</code> to see them. <a href="#/explore">Explore</a> has breakdowns, filters, funnels and retention.</Alert>}
    </Stack>
  );
}

/** What comes in now. */
function Now() {
  const second = useSecond();
  const { today, zone, first, last } = useLive();
  const latest = useLive(({ events }) => events[0]);
  const [accepted, rejected] = seconds.last(60, second);
  const refusedToday = today?.day === dayOf(second * 1000, zone) ? today.rejected : 0;
  return (
    <div className="tiles" aria-live="off">
      <Tile label="Accepted in the last minute" value={number(accepted)} href="#/live" />
      <Tile label="Rejected in the last minute" value={number(rejected)} href="#/rejected" warns={rejected > 0} />
      <Tile label="Rejected today" value={number(refusedToday)} href="#/rejected" warns={refusedToday > 0} />
      <Tile label="Latest event" value={latest ? visible(latest.event) : "none yet"} href="#/live" />
      <Tile label="Data" value={first && last ? `${dayOf(Date.parse(first), zone)} to ${dayOf(Date.parse(last), zone)}` : "none yet"} href="#/explore" isLong />
    </div>
  );
}

function Tile({ label, value, href, warns = false, isLong = false }: { label: string; value: string; href: string; warns?: boolean; isLong?: boolean }) {
  return (
    <a className={`tile${warns ? " warns" : ""}${isLong ? " long" : ""}`} href={href}>
      <span>{label}</span>
      <b>{value}</b>
    </a>
  );
}

/** The days that are looked at: those of the address, else those that have data. */
export function useRange() {
  const { state } = useRoute();
  const { zone, first, last } = useLive();
  const today = dayOf(Date.now(), zone);
  const usual = useMemo(() => firstRange(today, first && dayOf(Date.parse(first), zone), last && dayOf(Date.parse(last), zone)), [today, first, last, zone]);
  const given = (name: string, otherwise: string) => (isDay(state.get(name) ?? "") ? state.get(name)! : otherwise);
  const to = given("to", usual.to);
  const from = given("from", usual.from);
  return { from: from > to ? to : from, to, today };
}

/** Two days, and the ranges that are asked for most. */
export function RangeFields({ from, to, today }: { from: string; to: string; today: string }) {
  const { zone, first, last } = useLive();
  const ranges: [string, string, string][] = [["Today", today, today], ["Last 7 days", addDays(today, -6), today], ["Last 30 days", addDays(today, -29), today], ["Last 12 weeks", addDays(today, -83), today], ["Last 24 months", addDays(today, -729), today]];
  if (first && last) ranges.push(["All data", dayOf(Date.parse(first), zone), dayOf(Date.parse(last), zone)]);
  const current = ranges.find(([, start, end]) => start === from && end === to)?.[0] ?? "";
  return (
    <>
      <NativeSelect label="Time range" value={current} data={[{ value: "", label: "Custom", disabled: true }, ...ranges.map(([label]) => label)]} onChange={(change) => {
        const [, start, end] = ranges.find(([label]) => label === change.currentTarget.value)!;
        setState({ from: start, to: end, unit: "" });
      }} />
      <TextInput type="date" label="From" value={from} max={to} onChange={(change) => isDay(change.currentTarget.value) && setState({ from: change.currentTarget.value, to, unit: "" })} />
      <TextInput type="date" label="To" value={to} min={from} onChange={(change) => isDay(change.currentTarget.value) && setState({ from, to: change.currentTarget.value, unit: "" })} />
    </>
  );
}

function OverTime({ isEmbedded }: { isEmbedded: boolean }) {
  const { state } = useRoute();
  const { from, to, today } = useRange();
  const zone = useLive(({ zone }) => zone);
  const known = useLive(({ names }) => names);
  const [count, setCount] = useParameter("count", "general");
  const measure = measures.find(({ value }) => value === count)?.value ?? "general";
  const [found, setFound] = useState<string[]>([]);
  const names = isEmbedded ? known : found;
  const chosen = state.getAll("event").slice(0, mostEvents);
  const usual = unitFor(from, to);
  const unit: Unit = measure === "unique" && usual === "hour" ? "day" : usual;
  const top = chosen.length > 0 ? chosen : names.slice(0, 5);
  const question = JSON.stringify([from, to, unit, measure, isEmbedded ? top : chosen]);
  const [pressed, setPressed] = useState<string | null>(null);
  const asked = useAsked(isEmbedded ? question : pressed, async () => {
    let events = top;
    if (!isEmbedded && chosen.length === 0) {
      const all = items(get(await invoke("get_event_names", JSON.stringify({ type: "general", limit: 255 })), "names")).map(shown);
      setFound(all);
      events = all.slice(0, 5);
    }
    return { chart: await answer({ events, measure, of: "", by: "", where: "", unit, from, to }, isEmbedded), unit, measure };
  });
  const chart = asked.value?.chart;
  const label = `${measures.find(({ value }) => value === measure)!.label} by ${asked.value?.unit ?? unit}`;

  function ask() {
    if (isEmbedded || pressed === question) asked.ask();
    else setPressed(question);
  }

  return (
    <Paper withBorder p="md">
      <Group align="end" mb="md">
        <RangeFields from={from} to={to} today={today} />
        <NativeSelect label="Metric" value={measure} onChange={(change) => setCount(change.currentTarget.value)} data={measures} />
        <Names label="Events" className="grow" placeholder="The five most common" value={chosen} onChange={(event) => setState({ event })} proposals={names} most={mostEvents} />
        <Button leftSection={isEmbedded ? <IconRefresh size={16} /> : <IconPlayerPlay size={16} />} variant="default" loading={asked.isBusy} onClick={ask}>{isEmbedded ? "Refresh" : chosen.length === 0 ? "Run (2 queries)" : "Run (1 query)"}</Button>
      </Group>
      {asked.problem ? <ProblemAlert problem={asked.problem} /> : !chart ? asked.isBusy ? <Loading height={330} /> : <Empty title="Not queried yet">Press Run to count the events of your project.</Empty>
        : chart.series.length === 0 ? <Empty title="No events">The project received none in the last 31 days.</Empty> : (
          <>
            {chart.series.every(({ values }) => values.every((value) => value === 0)) && <Text size="sm" c="dimmed" mb="xs">None of these events occurred in this time range.</Text>}
            <Chart label={label} data={chart} unfinished={isUnfinished(chart.labels, asked.value!.unit, wall(Date.now(), zone))} height={280} />
            {asked.value!.measure !== "general" && isEmbedded && <Text size="xs" c="dimmed" mt={4}>The numbers next to the names are for the whole time range: a user active on several days counts once.</Text>}
          </>
        )}
    </Paper>
  );
}

/** What was refused today, by reason. */
function Refusals() {
  const today = useLive(({ today }) => today);
  const zone = useLive(({ zone }) => zone);
  if (!today || today.rejected === 0 || today.day !== dayOf(Date.now(), zone)) return null;
  return (
    <Paper withBorder p="md">
      <Bars level={2} title={`Rejected today, by reason (${today.day})`} column="Reason" count="Records" rows={today.reasons.map(({ message, count }) => ({ name: message, count }))} whole={today.rejected} href={(reason) => addressOf("rejected", { reason })} />
    </Paper>
  );
}

/** The properties of an event, of all time, and the most common values of one. */
function InEvent() {
  const names = useLive(({ names }) => names);
  const { zone, first, last } = useLive();
  const [event, setEvent] = useParameter("in");
  const [property, setProperty] = useParameter("property");
  const name = names.includes(event) ? event : names[0]!;
  const days = { from_date: first ? dayOf(Date.parse(first), zone) : "", to_date: last ? dayOf(Date.parse(last), zone) : "" };
  const properties = useAsked(JSON.stringify([name, days]), async () => {
    const [list, counts] = await Promise.all([invoke("get_event_properties", JSON.stringify({ event: name, limit: 50 })), answer({ events: [name], measure: "general", of: "", by: "", where: "", unit: "month", from: days.from_date, to: days.to_date }, false)]);
    return { name, whole: counts.series[0]?.total ?? 0, rows: items(get(list, "properties")).map((one) => ({ name: shown(get(one, "name")), count: Number(shown(get(one, "count"))) })) };
  });
  const known = properties.value?.name === name ? properties.value : undefined;
  const of = known?.rows.find((row) => row.name === property);
  const values = useAsked(of ? JSON.stringify([name, property, days]) : null, async () => {
    const found = get(await invoke("query_event_property_counts", JSON.stringify({ event: name, property, type: "general", unit: "month", ...days, limit: 20 })), "values");
    const rows = found?.kind === "object" ? found.entries.map(([value, months]) => ({ name: value, count: months.kind === "object" ? months.entries.reduce((sum, [, count]) => sum + Number(shown(count)), 0) : 0 })) : [];
    return { property, rows: rows.sort((one, other) => other.count - one.count) };
  });
  return (
    <Paper withBorder p="md">
      <Group align="end" mb="md" justify="space-between">
        <div>
          <Title order={2} size="h4">Properties of an event</Title>
          {known && <Text size="sm" c="dimmed">Stored events: {number(known.whole)}.</Text>}
        </div>
        <NativeSelect label="Event" value={name} onChange={(change) => { setEvent(change.currentTarget.value); setProperty(""); }} data={names.map((one) => ({ value: one, label: visible(one) }))} />
      </Group>
      <ProblemAlert problem={properties.problem ?? values.problem} />
      <div className="halves">
        <Bars title="Top properties" column="Property" count="Events" rows={known?.rows} whole={known?.whole ?? 0} isBusy={properties.isBusy} selected={property} onSelect={(one) => setProperty(one === property ? "" : one)} />
        {of && <Bars title={`Values of ${visible(property)}`} column="Value" count="Events" rows={values.value?.property === property ? values.value.rows : undefined} whole={of.count} isBusy={values.isBusy} />}
      </div>
    </Paper>
  );
}
