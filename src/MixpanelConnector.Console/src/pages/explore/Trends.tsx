import { ActionIcon, Button, Group, NativeSelect, Paper, Stack, Text, TextInput } from "@mantine/core";
import { IconPlus, IconX } from "@tabler/icons-react";
import { invoke } from "../../api.ts";
import { useAsked } from "../../asked.ts";
import { Chart } from "../../Chart.tsx";
import { type Unit, unitFor, wall } from "../../data/dates.ts";
import { callsFor, comparisons, type Filter, type Question, totalsFor, unitsFor, whereOf } from "../../data/reports.ts";
import { csvOf, isUnfinished, type Measure } from "../../data/series.ts";
import { get, items, shown } from "../../json.ts";
import { useLive } from "../../live.ts";
import { NameField, Names } from "../../Names.tsx";
import { Empty, Loading, ProblemAlert } from "../../parts.tsx";
import { answer } from "../../reports.ts";
import { setState, useParameter, useRoute } from "../../route.ts";
import { RangeFields, useRange } from "../Overview.tsx";
import { Tools, usePressed } from "./Answer.tsx";

const measures: { value: Measure; label: string }[] = [
  { value: "general", label: "Events" },
  { value: "unique", label: "Users" },
  { value: "average", label: "Events per user" },
  { value: "sum", label: "Sum of a property" },
  { value: "mean", label: "Average of a property" },
];
const mostEvents = 8;

/** Events over time: counted, summed or averaged, with filters, and segmented by a property. */
export function Trends({ isEmbedded }: { isEmbedded: boolean }) {
  const { state } = useRoute();
  const { from, to, today } = useRange();
  const zone = useLive(({ zone }) => zone);
  const names = useLive(({ names }) => names);
  const [count, setCount] = useParameter("count", "general");
  const [of, setOf] = useParameter("of");
  const [by, setBy] = useParameter("by");
  const [expression, setExpression] = useParameter("where");
  const given = state.getAll("event").slice(0, mostEvents);
  const events = given.length > 0 || !isEmbedded ? given : names.slice(0, 1);
  const filters = filtersIn(state.getAll("filter"));
  const where = whereOf(filters, expression);
  const measure = measures.find(({ value }) => value === count)?.value ?? "general";
  const isOfNumbers = measure === "sum" || measure === "mean";
  const units = unitsFor({ measure, by, where });
  const wanted = (state.get("unit") ?? "") as Unit;
  const usual = unitFor(from, to);
  const unit = units.includes(wanted) ? wanted : units.includes(usual) ? usual : usual === "week" ? "day" : units.includes("month") ? (usual === "month" ? "month" : "day") : "day";
  const question: Question = { events, measure, of, by, where, unit, from, to };
  const isWhole = events.length > 0 && (!isOfNumbers || of !== "");
  const calls = isWhole ? callsFor(question) : [];
  const text = JSON.stringify(question);
  const { asking, press } = usePressed(text, isEmbedded);
  const asked = useAsked(isWhole ? asking : null, async () => ({ chart: await answer(question, isEmbedded), unit, of: text }));
  const properties = useAsked(isEmbedded && events.length > 0 ? events[0]! : null, async () => items(get(await invoke("get_event_properties", JSON.stringify({ event: events[0], limit: 255 })), "properties")).map((one) => shown(get(one, "name"))));
  const known = isEmbedded && !properties.problem ? (properties.value ?? []) : undefined;
  const chart = isWhole ? asked.value?.chart : undefined;
  const isAnswered = asked.value?.of === text;

  return (
    <Paper withBorder p="md">
      <Stack>
        <Group align="end">
          <Names label="Events" className="grow" placeholder={isEmbedded ? "Most common event" : "Type a name, then press Enter"} value={given} onChange={(event) => setState({ event })} proposals={names} most={mostEvents} />
          <NativeSelect label="Metric" value={measure} onChange={(change) => setCount(change.currentTarget.value)} data={measures} />
          {isOfNumbers && <NameField label="Property" value={of} onChange={setOf} names={known} none="Choose" />}
          <NameField label="Break down by" value={by} onChange={setBy} names={known} none="None" />
        </Group>
        <Group align="end">
          <RangeFields from={from} to={to} today={today} />
          <NativeSelect label="By" value={unit} onChange={(change) => setState({ unit: change.currentTarget.value })} data={units} />
        </Group>
        <Filters filters={filters} names={known} />
        <TextInput label="Condition" description="Filters the events as well, in Mixpanel's segmentation language. Optional." placeholder='properties["plan"] == "pro"' classNames={{ input: "mono" }} value={expression} onChange={(change) => setExpression(change.currentTarget.value)} />
        <Tools isEmbedded={isEmbedded} isBusy={asked.isBusy && isWhole} queries={calls.length} onAsk={() => press(asked)} csv={chart && (() => csvOf(chart))} calls={calls} />
        {!isWhole ? <Empty title={events.length === 0 ? "No event selected" : "No property selected"}>{events.length === 0 ? "Select at least one event." : "Select the property to aggregate."}</Empty>
          : asked.problem ? <ProblemAlert problem={asked.problem} />
            : !chart ? asked.isBusy ? <Loading height={360} /> : <Empty title="Not queried yet">Press Run to see the chart.</Empty>
              : chart.series.length === 0 ? <Empty title="No matching events">Change the time range, the events or the filters.</Empty> : (
                <>
                  {!isAnswered && !isEmbedded && <Text size="sm" className="warning">These results do not include your last changes.</Text>}
                  <Chart label={`${measures.find(({ value }) => value === measure)!.label} by ${asked.value!.unit}`} data={chart} unfinished={isUnfinished(chart.labels, asked.value!.unit, wall(Date.now(), zone))} height={340} />
                  {(measure === "mean" || (!isEmbedded && totalsFor(question).length > 0)) && <Text size="xs" c="dimmed">These numbers cannot be summed over time, so no total is shown.</Text>}
                </>
              )}
      </Stack>
    </Paper>
  );
}

/** A filter is stored in the address as JSON. */
function filtersIn(texts: string[]): Filter[] {
  return texts.flatMap((text): Filter[] => {
    try {
      const parts: unknown = JSON.parse(text);
      return Array.isArray(parts) && parts.length === 3 && parts.every((part) => typeof part === "string") && comparisons.includes(parts[1] as Filter[1]) ? [parts as unknown as Filter] : [];
    } catch {
      return []; // the address was edited
    }
  });
}

function Filters({ filters, names }: { filters: Filter[]; names: string[] | undefined }) {
  const keep = (changed: Filter[]) => setState({ filter: changed.map((filter) => JSON.stringify(filter)) });
  const replace = (index: number, filter: Filter) => keep(filters.map((one, at) => (at === index ? filter : one)));
  return (
    <>
      {filters.map(([property, comparison, value], index) => (
        <Group key={index} align="end" role="group" aria-label={`Filter ${index + 1}`}>
          <NameField label="Where" value={property} onChange={(name) => replace(index, [name, comparison, value])} names={names} none="Choose" />
          <NativeSelect label="Comparison" value={comparison} onChange={(change) => replace(index, [property, change.currentTarget.value as Filter[1], value])} data={[...comparisons]} />
          {!comparison.endsWith("set") && <TextInput label="Value" value={value} onChange={(change) => replace(index, [property, comparison, change.currentTarget.value])} />}
          <ActionIcon variant="default" size="lg" aria-label={`Remove filter ${index + 1}`} onClick={() => keep(filters.filter((_, at) => at !== index))}><IconX size={16} /></ActionIcon>
        </Group>
      ))}
      <div><Button variant="default" size="compact-sm" leftSection={<IconPlus size={14} />} onClick={() => keep([...filters, [names?.[0] ?? "", "is", ""]])}>Add filter</Button></div>
    </>
  );
}
