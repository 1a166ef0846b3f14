import { Group, NativeSelect, Paper, Stack, Table, Text, TextInput } from "@mantine/core";
import { invoke } from "../../api.ts";
import { useAsked } from "../../asked.ts";
import { endOf, type Unit, wall } from "../../data/dates.ts";
import { number, share } from "../../data/numbers.ts";
import type { Call } from "../../data/reports.ts";
import { get, items, type Json, shown } from "../../json.ts";
import { useLive } from "../../live.ts";
import { NameField } from "../../Names.tsx";
import { Empty, Loading, ProblemAlert } from "../../parts.tsx";
import { useParameter } from "../../route.ts";
import { RangeFields, useRange } from "../Overview.tsx";
import { Tools, usePressed } from "./Answer.tsx";

interface Cohort {
  date: string;
  first: number;
  counts: number[];
}

const units: Unit[] = ["day", "week", "month"];
const intervals = { day: 7, week: 8, month: 6 };

/** Who returns, by when they began. */
export function Retention({ isEmbedded }: { isEmbedded: boolean }) {
  const { from, to, today } = useRange();
  const { names, zone } = useLive();
  const [born, setBorn] = useParameter("born");
  const [event, setEvent] = useParameter("back");
  const [where, setWhere] = useParameter("where");
  const [chosen, setUnit] = useParameter("unit", "week");
  const unit = (units.includes(chosen as Unit) ? chosen : "week") as "day" | "week" | "month";
  const began = born !== "" ? born : isEmbedded ? (names[0] ?? "") : "";
  const call: Call = { action: "query_retention", input: { born_event: began, ...(event === "" ? {} : { event }), from_date: from, to_date: to, unit, interval_count: intervals[unit], ...(where.trim() === "" ? {} : { where: where.trim() }) } };
  const { asking, press } = usePressed(JSON.stringify(call), isEmbedded);
  const asked = useAsked(began === "" ? null : asking, async () => ({ unit, cohorts: cohortsIn(await invoke(call.action, JSON.stringify(call.input))) }));
  const cohorts = asked.value?.cohorts;
  const width = Math.max(0, ...(cohorts ?? []).map(({ counts }) => counts.length));
  const csv = cohorts && (() => `began,people,${Array.from({ length: width }, (_, index) => `${unit} ${index}`).join(",")}\r\n${cohorts.map(({ date, first, counts }) => [date, first, ...counts].join(",")).join("\r\n")}\r\n`);
  const known = isEmbedded ? names : undefined;
  return (
    <Paper withBorder p="md">
      <Stack>
        <Group align="end">
          <NameField label="People who first did" value={began} onChange={setBorn} names={known} />
          <NameField label="and came back with" value={event} onChange={setEvent} names={known} none="Any event" />
          <RangeFields from={from} to={to} today={today} />
          <NativeSelect label="By" value={unit} onChange={(change) => setUnit(change.currentTarget.value)} data={units} />
        </Group>
        <TextInput label="Condition" description="Filters the events, in Mixpanel's segmentation language. Optional." placeholder='properties["plan"] == "pro"' classNames={{ input: "mono" }} value={where} onChange={(change) => setWhere(change.currentTarget.value)} />
        <Tools isEmbedded={isEmbedded} isBusy={asked.isBusy && began !== ""} queries={began === "" ? 0 : 1} onAsk={() => press(asked)} csv={csv} calls={began === "" ? [] : [call]} />
        {asked.problem ? <ProblemAlert problem={asked.problem} /> : !cohorts ? asked.isBusy && began !== "" ? <Loading height={240} /> : <Empty title="Not queried yet">Enter what people did first, and press Run.</Empty>
          : cohorts.length === 0 ? <Empty title="Nobody started in this time range">Choose other days or another event.</Empty> : <Cohorts cohorts={cohorts} unit={asked.value!.unit} width={width} now={wall(Date.now(), zone)} />}
      </Stack>
    </Paper>
  );
}

function cohortsIn(answer: Json): Cohort[] {
  const results = get(answer, "results");
  return (results?.kind === "object" ? results.entries : [])
    .map(([date, cohort]) => ({ date, first: Number(shown(get(cohort, "first")) || "0"), counts: items(get(cohort, "counts")).map((count) => Number(shown(count))) }))
    .sort((one, other) => (one.date < other.date ? -1 : 1));
}

/** The more people returned, the more of a cell is filled; a cell whose interval is not over is dashed. */
function Cohorts({ cohorts, unit, width, now }: { cohorts: Cohort[]; unit: Unit; width: number; now: number }) {
  const whole = cohorts.reduce((sum, { first }) => sum + first, 0);
  return (
    <>
      <Text size="sm">{whole === 1 ? "1 person" : `${number(whole)} people`} started in this time range.</Text>
      <div className="scroll" tabIndex={0} role="region" aria-label="Retention by cohort">
        <Table className="cohorts">
          <Table.Thead><Table.Tr><Table.Th scope="col">Started</Table.Th><Table.Th scope="col" ta="right">People</Table.Th>{Array.from({ length: width }, (_, index) => <Table.Th key={index} scope="col" ta="right">{unit} {index}</Table.Th>)}</Table.Tr></Table.Thead>
          <Table.Tbody>
            {cohorts.map(({ date, first, counts }) => (
              <Table.Tr key={date}>
                <Table.Th scope="row">{date}</Table.Th>
                <Table.Td ta="right">{number(first)}</Table.Td>
                {counts.map((count, index) => {
                  const isOver = endAfter(date, unit, index) <= now;
                  return <Table.Td key={index} ta="right" className={isOver ? "cell" : "cell running"} title={`${number(count)} of ${number(first)}${isOver ? "" : ", incomplete"}`}><i aria-hidden="true" style={{ width: `${(100 * count) / Math.max(1, first)}%` }} /><span>{share(count, first)}</span></Table.Td>;
                })}
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </div>
    </>
  );
}

function endAfter(date: string, unit: Unit, count: number): number {
  let label = date;
  for (let step = 0; step < count; step++) label = new Date(endOf(label, unit) * 1000).toISOString().slice(0, 10);
  return endOf(label, unit);
}
