import { Button, Group, Kbd, Paper, Stack, Text, TextInput } from "@mantine/core";
import { IconPlayerPause, IconPlayerPlay, IconSearch } from "@tabler/icons-react";
import { useMemo, useState } from "react";
import { Chart } from "../Chart.tsx";
import { type Json, parse, shown } from "../json.ts";
import { type Live, type Rejection, secondsOfRate, type SeenEvent, useLive, useSeconds } from "../live.ts";
import { Empty, JsonView, number, PageTitle, time, visible } from "../parts.tsx";
import { RecordList, useSearch } from "../RecordList.tsx";

/** Events as they arrive. */
export function LiveEvents() {
  const now = useLive();
  const [paused, setPaused] = useState<Live>();
  const live = paused ?? now;
  const search = useSearch();
  const found = useMemo(() => live.events.filter((event) => search.matches(event.event, event.distinct_id, event.properties)), [live.events, search.text]);
  return (
    <Stack>
      <PageTitle
        about="What the project gets, the moment it is stored. Duplicates are shown as they come."
        right={<Button variant="default" leftSection={paused ? <IconPlayerPlay size={16} /> : <IconPlayerPause size={16} />} onClick={() => setPaused(paused ? undefined : now)}>{paused ? `Go on (${number(countSince(paused, now))} new)` : "Pause"}</Button>}
      >
        Live events
      </PageTitle>
      <Rate live={now} />
      <SearchField search={search} label="Search in events" count={found.length} of={live.events.length} />
      <RecordList
        label="Events"
        records={found}
        columns={["Time", "Event", "User", "Properties"]}
        cells={(event) => [time(event.time), <b key="name">{visible(event.event)}</b>, visible(event.distinct_id), <span key="properties" className="faint">{preview(event.properties)}</span>]}
        detail={(event) => <JsonView tall label="event" json={eventJson(event)} />}
        empty={live.events.length > 0 ? <Empty title="Nothing matches">Change the search to see more of the {number(live.events.length)} events.</Empty> : <Empty title="Waiting for events">Send one with <code>mixpanel track-event</code>, an import with <code>mixpanel import</code>, or any Mixpanel library that is pointed at this address.</Empty>}
      />
    </Stack>
  );
}

/** Records that were not stored, with the reason; also those whose sender was told nothing. */
export function Rejected() {
  const { rejections } = useLive();
  const search = useSearch();
  const found = useMemo(() => rejections.filter((rejection) => search.matches(rejection.message, rejection.field, rejection.path, rejection.record)), [rejections, search.text]);
  return (
    <Stack>
      <PageTitle about="Records that were not stored, and why. Mixpanel drops some of them without a word to their sender: here they show.">Rejected records</PageTitle>
      <SearchField search={search} label="Search in rejected records" count={found.length} of={rejections.length} />
      <RecordList
        label="Rejected records"
        records={found}
        columns={["Time", "Path", "Field", "Reason", "Sender"]}
        cells={(rejection) => [time(rejection.time), rejection.path, <code key="field">{visible(rejection.field) || "(record)"}</code>, <b key="reason">{visible(rejection.message)}</b>, rejection.told ? "was told" : <span key="told" className="warning">was not told</span>]}
        detail={(rejection) => <RejectedRecord rejection={rejection} />}
        empty={rejections.length > 0 ? <Empty title="Nothing matches">Change the search to see more of the {number(rejections.length)} records.</Empty> : <Empty title="Nothing was rejected">Since this server started, no record was refused or dropped one by one. The latest 500 would be shown here. A request that is refused as a whole is not: its sender was told.</Empty>}
      />
    </Stack>
  );
}

function RejectedRecord({ rejection }: { rejection: Rejection }) {
  let json: Json | undefined;
  try {
    json = parse(rejection.record);
  } catch {
    // It is shown as it is: being no JSON may be the very reason.
  }
  return (
    <Stack gap="sm">
      <Text fw={600} className="wrap">{visible(rejection.message)}</Text>
      {json ? <JsonView tall label="record" json={json} /> : <pre className="raw" tabIndex={0}>{visible(rejection.record)}</pre>}
    </Stack>
  );
}

function SearchField({ search, label, count, of }: { search: ReturnType<typeof useSearch>; label: string; count: number; of: number }) {
  return (
    <Group align="end">
      <TextInput className="grow" label={label} ref={search.field} leftSection={<IconSearch size={16} />} rightSection={<Kbd size="xs">/</Kbd>} placeholder="A part of a name, a user, a property" value={search.text} onChange={(change) => search.setText(change.currentTarget.value)} />
      <Text size="sm" c="dimmed" role="status">{search.text === "" ? `${number(of)} shown` : `${number(count)} of ${number(of)}`}</Text>
    </Group>
  );
}

function Rate({ live }: { live: Live }) {
  useSeconds();
  const now = Math.floor(Date.now() / 1000);
  const seconds = Array.from({ length: secondsOfRate }, (_, index) => now - secondsOfRate + 1 + index);
  return (
    <Paper withBorder p="sm">
      <Chart
        label="Records a second, in the last two minutes"
        height={120}
        summary="latest"
        seconds={seconds}
        series={[
          { label: "accepted", values: seconds.map((second) => live.rate.get(second)?.[0] ?? 0) },
          { label: "rejected", values: seconds.map((second) => live.rate.get(second)?.[1] ?? 0) },
        ]}
      />
    </Paper>
  );
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

function countSince(then: Live, now: Live): number {
  const latest = then.events[0]?.id ?? -1;
  return now.events.filter(({ id }) => id > latest).length;
}

