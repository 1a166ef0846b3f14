import { Group, Kbd, Paper, Stack, Text, TextInput } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { useMemo } from "react";
import { Bars } from "../Bars.tsx";
import { time } from "../data/dates.ts";
import { fixOf } from "../data/fixes.ts";
import { number } from "../data/numbers.ts";
import { type Json, parse } from "../json.ts";
import { type Rejection, useLive } from "../live.ts";
import { Empty, Loading, PageTitle } from "../parts.tsx";
import { type Column, RecordTable } from "../RecordTable.tsx";
import { useParameter } from "../route.ts";
import { useSearch } from "../search.ts";
import { visible } from "../text.ts";
import { Tree } from "../Tree.tsx";

/** Records that were not stored, by reason; also those whose sender was told nothing. */
export function Rejected() {
  const { rejections, zone, hasProject } = useLive();
  const [reason, setReason] = useParameter("reason");
  const search = useSearch();
  const groups = useMemo(() => {
    const counts = new Map<string, number>();
    for (const { message } of rejections) counts.set(message, (counts.get(message) ?? 0) + 1);
    return [...counts].map(([name, count]) => ({ name, count })).sort((one, other) => other.count - one.count);
  }, [rejections]);
  const found = useMemo(() => rejections.filter(({ message, field, path, record }) => (reason === "" || message === reason) && search.matches(message, field, path, record)), [rejections, reason, search.matches]);
  const columns = useMemo(() => columnsIn(zone), [zone]);
  return (
    <Stack>
      <PageTitle about={`Records that were not stored, and why. Those that Mixpanel drops silently are shown, too. Times are in ${zone}.`}>Rejected records</PageTitle>
      {groups.length > 0 && <Paper withBorder p="md"><Bars level={2} title="By reason" column="Reason" count="Records" rows={groups} whole={rejections.length} selected={reason} onSelect={(one) => setReason(one === reason ? "" : one)} /></Paper>}
      <Group align="end">
        <TextInput className="grow" label="Search in rejected records" ref={search.field} leftSection={<IconSearch size={16} />} rightSection={<Kbd size="xs">/</Kbd>} placeholder="Part of a reason, a field or a record" value={search.text} onChange={(change) => search.setText(change.currentTarget.value)} />
        <Text size="sm" c="dimmed" role="status">{found.length === rejections.length ? `${number(rejections.length)} shown` : `${number(found.length)} of ${number(rejections.length)}`}</Text>
      </Group>
      {reason !== "" && <Paper withBorder p="md"><Text fw={600} className="wrap">{visible(reason)}</Text><Text size="sm">{fixOf(found[0]?.field ?? "", reason)}</Text></Paper>}
      {!hasProject && <Paper withBorder p="md"><Loading height={240} /></Paper>}
      {hasProject && <RecordTable
        label="Rejected records"
        records={found}
        columns={columns}
        detail={(rejection) => <RejectedRecord rejection={rejection} />}
        empty={rejections.length > 0 ? <Empty title="No matching records">Change the search or the reason to see more of the {number(rejections.length)} records.</Empty> : <Empty title="Nothing was rejected">No single record has been rejected or dropped since this server started. The latest 500 are shown here, but not requests that are rejected as a whole: their senders receive an error.</Empty>}
      />}
    </Stack>
  );
}

const columnsIn = (zone: string): Column<Rejection>[] => [
  { key: "time", title: "Time", width: 165, cell: (one) => time(one.time, zone), sort: (one) => one.time },
  { key: "path", title: "Path", width: 90, cell: (one) => one.path, sort: (one) => one.path },
  { key: "field", title: "Field", width: 170, cell: (one) => <code>{visible(one.field) || "(record)"}</code>, sort: (one) => one.field },
  { key: "reason", title: "Reason", width: 340, cell: (one) => <b className="reason">{visible(one.message)}</b>, sort: (one) => one.message },
  { key: "sender", title: "Sender", width: 120, cell: (one) => (one.told ? "notified" : <span className="warning">not notified</span>), sort: (one) => (one.told ? 1 : 0) },
];

export function RejectedRecord({ rejection }: { rejection: Rejection }) {
  const json = useMemo(() => jsonOr(rejection.record), [rejection.record]);
  return (
    <Stack gap="sm">
      <Text fw={600} className="wrap reason">{visible(rejection.message)}</Text>
      <Text size="sm">{fixOf(rejection.field, rejection.message)}</Text>
      {!rejection.told && <Text size="sm" className="warning">The sender was not notified that the record was rejected.</Text>}
      {json ? <Tree label="record" json={json} /> : <pre className="raw" tabIndex={0}>{visible(rejection.record)}</pre>}
    </Stack>
  );
}

/** A record that is no JSON is shown as it is: that may be the very reason. */
function jsonOr(text: string): Json | undefined {
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}
