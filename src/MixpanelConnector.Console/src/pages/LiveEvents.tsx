import { Button, Group, Kbd, NativeSelect, Paper, Stack, Text, TextInput } from "@mantine/core";
import { IconPlayerPause, IconPlayerPlay, IconSearch } from "@tabler/icons-react";
import { useMemo, useState } from "react";
import { Chart } from "../Chart.tsx";
import { time, timeOf, wall } from "../data/dates.ts";
import { number } from "../data/numbers.ts";
import { type Json, parse, shown } from "../json.ts";
import { type Live, type Rejection, seconds, secondsOfRate, type SeenEvent, useLive, useSecond } from "../live.ts";
import { Empty, Loading, PageTitle } from "../parts.tsx";
import { type Column, RecordTable } from "../RecordTable.tsx";
import { addressOf, useParameter } from "../route.ts";
import { useSearch } from "../search.ts";
import { visible } from "../text.ts";
import { Tree } from "../Tree.tsx";
import { RejectedRecord } from "./Rejected.tsx";

/** An event that was stored, or a record that was not. */
interface Arrival {
  id: number;
  event?: SeenEvent;
  rejection?: Rejection;
}

/** Records as they arrive: those that are stored, and those that are refused. */
export function LiveEvents() {
  const now = useLive();
  const [paused, setPaused] = useState<Live>();
  const live = paused ?? now;
  const [kind, setKind] = useParameter("show", "all");
  const [event, setEvent] = useParameter("event");
  const [person, setPerson] = useParameter("person");
  const search = useSearch();
  const arrivals = useMemo(() => arrivalsOf(live.events, live.rejections), [live.events, live.rejections]);
  const found = useMemo(
    () => arrivals.filter(({ event: stored, rejection }) =>
      (kind === "all" || (kind === "stored") === (stored !== undefined)) &&
      (event === "" || (stored?.event ?? eventOf(rejection!)) === event) &&
      (person === "" || (stored ? stored.distinct_id.includes(person) : rejection!.record.includes(person))) &&
      search.matches(...(stored ? [stored.event, stored.distinct_id, stored.properties] : [rejection!.message, rejection!.record]))),
    [arrivals, kind, event, person, search.matches],
  );
  const columns = useMemo(() => columnsIn(live.zone), [live.zone]);
  const since = now.accepted + now.rejected - ((paused?.accepted ?? 0) + (paused?.rejected ?? 0));
  return (
    <Stack>
      <PageTitle
        about={`Records as they are stored or rejected. Duplicates are shown as they arrive. Times are in ${live.zone}.`}
        right={<Button variant="default" leftSection={paused ? <IconPlayerPlay size={16} /> : <IconPlayerPause size={16} />} onClick={() => setPaused(paused ? undefined : now)}>{paused ? `Resume (${number(since)} more)` : "Pause"}</Button>}
      >
        Live events
      </PageTitle>
      <Rate zone={live.zone} />
      <Group align="end">
        <NativeSelect label="Show" value={kind} onChange={(change) => setKind(change.currentTarget.value)} data={[{ value: "all", label: "All records" }, { value: "stored", label: "Accepted" }, { value: "refused", label: "Rejected" }]} />
        <NativeSelect label="Event" value={event} onChange={(change) => setEvent(change.currentTarget.value)} data={[{ value: "", label: "All events" }, ...[...new Set([...live.names, ...(event === "" ? [] : [event])])].map((name) => ({ value: name, label: visible(name) }))]} />
        <TextInput label="Person" placeholder="Part of an id" value={person} onChange={(change) => setPerson(change.currentTarget.value)} />
        <TextInput className="grow" label="Search in events" ref={search.field} leftSection={<IconSearch size={16} />} rightSection={<Kbd size="xs">/</Kbd>} placeholder="Part of a name, a user or a property" value={search.text} onChange={(change) => search.setText(change.currentTarget.value)} />
      </Group>
      <Shown live={live} found={found.length} of={arrivals.length} />
      {!live.hasProject && <Paper withBorder p="md"><Loading height={240} /></Paper>}
      {live.hasProject && <RecordTable
        label="Events"
        records={found}
        columns={columns}
        tone={({ rejection }) => (rejection ? "refused" : undefined)}
        detail={({ event, rejection }) => event ? (
          <Stack gap="sm">
            <Tree label="event" json={eventJson(event)} />
            <a href={addressOf("profiles", { person: event.distinct_id })}>Events of {visible(event.distinct_id) || "(no id)"}</a>
          </Stack>
        ) : <RejectedRecord rejection={rejection!} />}
        empty={arrivals.length > 0 ? <Empty title="No matching records">Change the filters to see more of the {number(arrivals.length)} records.</Empty> : <Empty title="Waiting for events">Send one with <code>mixpanel track-event</code>, import a file with <code>mixpanel import</code>, or point any Mixpanel library at this URL.</Empty>}
      />}
    </Stack>
  );
}

/** What is shown, of what came: a burst is counted whole, and shown in part. */
function Shown({ live, found, of }: { live: Live; found: number; of: number }) {
  const isSample = live.accepted > live.shown;
  return (
    <Text size="sm" c="dimmed" role="status">
      {found === of ? `${number(of)} shown` : `${number(found)} of ${number(of)}`}
      {isSample && `: a sample, at most the latest 50 per quarter of a second. Since this page was opened, ${number(live.accepted)} events were accepted and ${number(live.shown)} shown`}.
      {of >= 2000 && " Only the latest 2,000 are kept."}
    </Text>
  );
}

/** The latest first; what came in one moment, as it came. */
function arrivalsOf(events: SeenEvent[], rejections: Rejection[]): Arrival[] {
  const all: Arrival[] = [...events.map((event) => ({ id: event.id, event })), ...rejections.map((rejection) => ({ id: rejection.id, rejection }))];
  return all.sort((one, other) => other.id - one.id);
}

function Rate({ zone }: { zone: string }) {
  const second = useSecond();
  const data = useMemo(() => {
    const start = second - secondsOfRate;
    const shift = wall(second * 1000, zone) - second;
    const at = Array.from({ length: secondsOfRate }, (_, index) => start + index); // the second at hand is not over
    return {
      labels: at.map((one) => timeOf(one + shift)),
      series: [0, 1].map((part) => {
        const values = at.map((one) => seconds.at(one)[part]!);
        return { label: ["accepted", "rejected"][part]!, values, total: values.reduce((sum, value) => sum + value, 0) };
      }),
    };
  }, [second, zone]);
  return <Paper withBorder p="sm"><Chart label="Records per second, last two minutes" height={120} data={data} refusals={1} /></Paper>;
}

const columnsIn = (zone: string): Column<Arrival>[] => [
  { key: "time", title: "Time", width: 165, cell: ({ event, rejection }) => time((event ?? rejection)!.time, zone), sort: ({ event, rejection }) => (event ?? rejection)!.time },
  { key: "event", title: "Event", width: 200, cell: ({ event, rejection }) => <b>{visible(event ? event.event : eventOf(rejection!) || "(no name)")}</b>, sort: ({ event, rejection }) => event?.event ?? eventOf(rejection!) },
  { key: "person", title: "Person", width: 150, cell: ({ event }) => visible(event?.distinct_id ?? ""), sort: ({ event }) => event?.distinct_id ?? "" },
  { key: "insert_id", title: "$insert_id", width: 200, isExtra: true, cell: ({ event }) => visible(event?.insert_id ?? ""), sort: ({ event }) => event?.insert_id ?? "" },
  { key: "properties", title: "Properties or reason", width: 420, cell: ({ event, rejection }) => (event ? <span className="faint">{preview(event.properties)}</span> : <span className="reason">Rejected: {visible(rejection!.message)}{rejection!.told ? "" : " (the sender was not notified)"}</span>) },
];

/** The name of an event in a record that was refused. */
function eventOf({ record }: Rejection): string {
  return /"event"\s*:\s*"((?:[^"\\]|\\.)*)"/.exec(record.slice(0, 2000))?.[1] ?? "";
}

function eventJson(event: SeenEvent): Json {
  const text = (value: string): Json => ({ kind: "string", value });
  return { kind: "object", entries: [["event", text(event.event)], ["time", text(event.time)], ["distinct_id", text(event.distinct_id)], ["$insert_id", text(event.insert_id)], ["properties", parseOr(event.properties)]] };
}

/** What somebody sent, without what is in columns of its own or was added on the way. */
const uninteresting = new Set(["mp_processing_time_ms", "$import", "time", "distinct_id", "$insert_id", "token"]);

function preview(properties: string): string {
  const json = parseOr(properties);
  if (json.kind !== "object") return visible(properties.slice(0, 300));
  const parts: string[] = [];
  for (const [name, value] of json.entries) {
    if (uninteresting.has(name)) continue;
    parts.push(`${name}: ${shown(value).slice(0, 80)}`);
    if (parts.length === 8) break;
  }
  return visible(parts.join("  ·  "));
}

function parseOr(text: string): Json {
  try {
    return parse(text);
  } catch {
    return { kind: "string", value: text };
  }
}
