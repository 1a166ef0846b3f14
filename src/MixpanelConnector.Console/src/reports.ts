import { invoke } from "./api.ts";
import { type Call, callsFor, type Question, totalsFor } from "./data/reports.ts";
import { type Chart, chartOf, numbersByValueOf, numbersOf } from "./data/series.ts";
import { get, type Json, shown } from "./json.ts";

const send = (call: Call): Promise<Json> => invoke(call.action, JSON.stringify(call.input));

/** Answers a question. Totals that are not sums need further calls, which are made only if calls cost nothing. */
export async function answer(question: Question, withTotals: boolean): Promise<Chart> {
  const [answers, totals] = await Promise.all([Promise.all(callsFor(question).map(send)), Promise.all((withTotals ? totalsFor(question) : []).map(send))]);
  const { events, measure, by, unit } = question;
  const charts = answers.map((one, index) => {
    const isOfNumbers = measure === "sum" || measure === "mean";
    if (by === "") return isOfNumbers ? numbersOf(one, events[index]!, measure) : chartOf(one, measure, answers.length === 1 ? events : [events[index]!]);
    const chart = isOfNumbers ? numbersByValueOf(one, measure, unit, question) : chartOf(one, measure);
    return events.length === 1 ? chart : { ...chart, series: chart.series.map((series) => ({ ...series, label: `${events[index]} · ${series.label}` })) };
  });
  const chart = { labels: charts[0]?.labels ?? [], series: charts.flatMap(({ series }) => series) };
  totals.forEach((total, index) => {
    const values = get(total, "values");
    for (const [name, times] of values?.kind === "object" ? values.entries : []) {
      const label = by === "" || events.length === 1 ? name : `${events[index]} · ${name}`;
      const series = chart.series.find((one) => one.label === label);
      if (series && times.kind === "object" && times.entries.length === 1) series.total = Number(shown(times.entries[0]![1]));
    }
  });
  return chart;
}
