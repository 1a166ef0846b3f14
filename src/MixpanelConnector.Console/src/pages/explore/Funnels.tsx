import { Button, Group, NativeSelect, Paper, Stack, Table, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import { invoke } from "../../api.ts";
import { useAsked } from "../../asked.ts";
import { daysIn } from "../../data/dates.ts";
import { duration, number, share } from "../../data/numbers.ts";
import type { Call } from "../../data/reports.ts";
import { csvCell } from "../../data/series.ts";
import { get, items, shown } from "../../json.ts";
import { Empty, Loading, ProblemAlert } from "../../parts.tsx";
import { useParameter } from "../../route.ts";
import { visible } from "../../text.ts";
import { RangeFields, useRange } from "../Overview.tsx";
import { Tools, usePressed } from "./Answer.tsx";

interface Step {
  name: string;
  count: number;
  /** How long it took from the step before, on average, in seconds; nothing for the first. */
  seconds: number | undefined;
}

/** How many got how far through a funnel that is saved in the project. */
export function Funnels({ isEmbedded }: { isEmbedded: boolean }) {
  const { from, to, today } = useRange();
  const [id, setId] = useParameter("funnel");
  const [where, setWhere] = useParameter("where");
  const [isListed, setListed] = useState(isEmbedded);
  const list = useAsked(isListed ? "list" : null, async () => items(get(await invoke("list_funnels", "{}"), "results")).map((one) => ({ value: shown(get(one, "funnel_id")), label: visible(shown(get(one, "name"))) })));
  const funnel = list.value?.some(({ value }) => value === id) ? id : (list.value?.[0]?.value ?? "");
  const call: Call = { action: "query_funnel", input: { funnel_id: Number(funnel), from_date: from, to_date: to, interval: Math.min(366, daysIn(from, to)), ...(where.trim() === "" ? {} : { where: where.trim() }) } };
  const { asking, press } = usePressed(JSON.stringify(call), isEmbedded);
  const asked = useAsked(funnel === "" ? null : asking, async () => stepsIn(await invoke(call.action, JSON.stringify(call.input))));
  const steps = asked.value;
  const csv = steps && (() => `step,event,people,of the first,of the one before,seconds\r\n${steps.map((step, index) => [index + 1, csvCell(step.name), step.count, share(step.count, steps[0]!.count), share(step.count, steps[Math.max(0, index - 1)]!.count), step.seconds ?? ""].join(",")).join("\r\n")}\r\n`);
  if (list.problem) return <ProblemAlert problem={list.problem} />;
  if (!list.value) return isListed ? <Loading height={240} /> : <Paper withBorder p="xl"><Empty title="Not queried yet"><Button variant="default" onClick={() => setListed(true)}>List saved funnels (1 query)</Button></Empty></Paper>;
  if (list.value.length === 0) return <Paper withBorder p="xl"><Empty title="No funnels">{isEmbedded ? <>Create one in the embedded Mixpanel with <code>POST /emulator/projects/1/funnels</code> or in the <code>--seed</code> file.</> : "Save one in Mixpanel to see it here."}</Empty></Paper>;
  return (
    <Paper withBorder p="md">
      <Stack>
        <Group align="end">
          <NativeSelect label="Funnel" value={funnel} onChange={(change) => setId(change.currentTarget.value)} data={list.value} />
          <RangeFields from={from} to={to} today={today} />
        </Group>
        <TextInput label="Condition" description="Filters the events, in Mixpanel's segmentation language. Optional." placeholder='properties["plan"] == "pro"' classNames={{ input: "mono" }} value={where} onChange={(change) => setWhere(change.currentTarget.value)} />
        <Tools isEmbedded={isEmbedded} isBusy={asked.isBusy && funnel !== ""} queries={1} onAsk={() => press(asked)} csv={csv} calls={[call]} />
        {asked.problem ? <ProblemAlert problem={asked.problem} /> : !steps ? asked.isBusy ? <Loading height={240} /> : <Empty title="Not queried yet">Press Run to see the funnel.</Empty> : <Steps steps={steps} />}
      </Stack>
    </Paper>
  );
}

/** The steps of all parts of the answer together: everyone is counted where they began. */
function stepsIn(answer: Parameters<typeof get>[0]): Step[] {
  const data = get(answer, "data");
  const steps: Step[] = [];
  for (const [, part] of data?.kind === "object" ? data.entries : [])
    items(get(part, "steps")).forEach((step, index) => {
      const count = Number(shown(get(step, "count")));
      const seconds = shown(get(step, "avg_time"));
      const before = steps[index];
      const name = shown(get(step, "step_label")) || shown(get(step, "event"));
      if (!before) steps[index] = { name, count, seconds: seconds === "" ? undefined : Number(seconds) };
      else {
        const all = before.count + count;
        if (before.seconds !== undefined && seconds !== "" && all > 0) before.seconds = (before.seconds * before.count + Number(seconds) * count) / all;
        before.count = all;
      }
    });
  return steps;
}

function Steps({ steps }: { steps: Step[] }) {
  const first = steps[0]?.count ?? 0;
  return (
    <>
      <Text size="sm">{number(steps.at(-1)?.count ?? 0)} of {number(first)} completed the funnel{first > 0 && `: ${share(steps.at(-1)!.count, first)}`}.</Text>
      <div className="scroll" tabIndex={0} role="region" aria-label="Steps of the funnel">
        <Table>
          <Table.Thead><Table.Tr><Table.Th scope="col">Step</Table.Th><Table.Th scope="col" ta="right">People</Table.Th><Table.Th scope="col" ta="right">Of first step</Table.Th><Table.Th scope="col" ta="right">Of previous step</Table.Th><Table.Th scope="col" ta="right">Average time</Table.Th></Table.Tr></Table.Thead>
          <Table.Tbody>
            {steps.map((step, index) => (
              <Table.Tr key={index}>
                <Table.Th scope="row" className="step">{index + 1}. {visible(step.name)}<i aria-hidden="true"><i style={{ width: `${(100 * step.count) / Math.max(1, first)}%` }} /></i></Table.Th>
                <Table.Td ta="right">{number(step.count)}</Table.Td>
                <Table.Td ta="right">{share(step.count, first)}</Table.Td>
                <Table.Td ta="right">{index === 0 ? "" : share(step.count, steps[index - 1]!.count)}</Table.Td>
                <Table.Td ta="right">{step.seconds === undefined || step.count === 0 ? "" : duration(step.seconds)}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </div>
    </>
  );
}
