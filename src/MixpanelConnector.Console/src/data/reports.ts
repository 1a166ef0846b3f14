import { daysIn, type Range, type Unit } from "./dates.ts";
import type { Measure } from "./series.ts";

/** A call of an action. Everything that a page shows comes from such calls, and can be reproduced with them elsewhere. */
export interface Call {
  action: string;
  input: Record<string, unknown>;
}

/** A question about events over time. */
export interface Question extends Range {
  events: string[];
  measure: Measure;
  /** The property whose numbers are summed or averaged. */
  of: string;
  /** The property that segments an event. */
  by: string;
  /** A condition on the events, in the segmentation language; empty for none. */
  where: string;
  unit: Unit;
}

/** A property in the segmentation language. */
export const propertyOf = (name: string) => `properties[${JSON.stringify(name)}]`;

/** How a filter compares. */
export const comparisons = ["is", "is not", "contains", "is above", "is below", "is set", "is not set"] as const;

export type Filter = [property: string, comparison: (typeof comparisons)[number], value: string];

export function whereOf(filters: Filter[], expression: string): string {
  const parts = filters.filter(([property]) => property !== "").map(conditionOf);
  if (expression.trim() !== "") parts.push(parts.length > 0 ? `(${expression.trim()})` : expression.trim());
  return parts.join(" and ");
}

function conditionOf([name, comparison, value]: Filter): string {
  const property = propertyOf(name);
  const isNumber = /^-?\d+(\.\d+)?$/.test(value.trim());
  const isTruth = value === "true" || value === "false";
  // A value that looks like a number may be stored as one or as text: both match.
  const equal = isNumber ? `(${property} == ${value.trim()} or ${property} == ${JSON.stringify(value)})` : isTruth ? `(${property} == ${value} or ${property} == ${JSON.stringify(value)})` : `${property} == ${JSON.stringify(value)}`;
  switch (comparison) {
    case "is": return equal;
    case "is not": return `not ${isNumber || isTruth ? equal : `(${equal})`}`;
    case "contains": return `${JSON.stringify(value)} in ${property}`;
    case "is above": return `${property} > ${isNumber ? value.trim() : JSON.stringify(value)}`;
    case "is below": return `${property} < ${isNumber ? value.trim() : JSON.stringify(value)}`;
    case "is set": return `defined(${property})`;
    case "is not set": return `not (defined(${property}))`;
  }
}

const mostParts = 12;

/** The units in which a question can be answered. */
export function unitsFor({ measure, by, where }: Pick<Question, "measure" | "by" | "where">): Unit[] {
  if (measure === "sum" || measure === "mean") return ["hour", "day"];
  const units: Unit[] = measure === "unique" ? ["day", "month"] : ["minute", "hour", "day", "month"];
  return by === "" && where === "" ? [...units.slice(0, -1), "week", "month"] : units;
}

/**
 * Sums a property of an event over time by the values of another: for each of the most common values its name, and for each unit its start, the sum and the
 * number of events. Mixpanel has no report for this. As in its sums and averages, what is not a number is 0. The script's JavaScript is old.
 */
const numbersByProperty = `function main() {
  function value(event) {
    var by = event.properties[params.by];
    return by === undefined ? "undefined" : typeof by === "object" ? JSON.stringify(by) : String(by);
  }
  function number(event) {
    var of = event.properties[params.of];
    return typeof of === "number" ? of : typeof of === "string" && isFinite(of) ? Number(of) : 0;
  }
  var selector = { event: params.event };
  if (params.where) selector.selector = params.where;
  return Events({ from_date: params.from_date, to_date: params.to_date, event_selectors: [selector] })
    .groupBy([value, mixpanel.numeric_bucket("time", params.unit === "hour" ? mixpanel.hourly_time_buckets : mixpanel.daily_time_buckets)], [mixpanel.reducer.sum(number), mixpanel.reducer.count()])
    .groupBy([function (part) { return part.key[0]; }], function (accumulators, parts) {
      var all = { name: "", count: 0, times: [] };
      parts.forEach(function (part) {
        all.name = part.key[0];
        all.count += part.value[1];
        all.times.push([part.key[1], part.value[0], part.value[1]]);
      });
      accumulators.forEach(function (one) {
        all.name = one.name;
        all.count += one.count;
        all.times = all.times.concat(one.times);
      });
      return all;
    })
    .map(function (group) { return group.value; })
    .reduce(function (accumulators, values) {
      var all = accumulators.reduce(function (some, more) { return some.concat(more); }, values.slice());
      return all.sort(function (one, other) { return other.count - one.count || (one.name < other.name ? -1 : 1); }).slice(0, params.limit);
    });
}`;

/** The calls that answer a question: one for all events if that is enough, otherwise one for each. */
export function callsFor({ events, measure, of, by, where, unit, from, to }: Question): Call[] {
  const dates = { from_date: from, to_date: to };
  if ((measure === "sum" || measure === "mean") && by !== "")
    return events.map((event) => ({ action: "query_jql", input: { script: numbersByProperty, params: { event, of, by, unit, limit: mostParts, ...dates, ...(where === "" ? {} : { where }) } } }));
  if (measure === "sum" || measure === "mean")
    return events.map((event) => ({ action: measure === "sum" ? "query_segmentation_sum" : "query_segmentation_average", input: { event, on: `number(${propertyOf(of)})`, unit, ...dates, ...(where === "" ? {} : { where }) } }));
  if (by === "" && where === "") return events.length === 0 ? [] : [{ action: "query_event_counts", input: { events, type: measure, unit, ...dates } }];
  return events.map((event) => ({ action: "query_segmentation", input: { event, type: measure, unit, ...dates, ...(by === "" ? {} : { on: propertyOf(by), limit: mostParts }), ...(where === "" ? {} : { where }) } }));
}

/** The calls for totals that are not sums: one for each event. */
export function totalsFor({ events, measure, by, where, from, to }: Question): Call[] {
  if (measure !== "unique" && measure !== "average") return [];
  return events.map((event) => ({ action: "query_segmentation", input: { event, type: measure, interval: daysIn(from, to), from_date: from, to_date: to, ...(by === "" ? {} : { on: propertyOf(by), limit: mostParts }), ...(where === "" ? {} : { where }) } }));
}
