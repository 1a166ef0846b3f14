// The screen is in New York: nothing may depend on it.
import { strict as assert } from "node:assert";
import { test } from "node:test";
import { contrast, grounds, palettes, refused } from "../src/data/colours.ts";
import { addDays, dayOf, daysIn, endOf, firstRange, isDay, secondsOf, time, timeOf, unitFor, wall } from "../src/data/dates.ts";
import { mappedOf } from "../src/data/mapped.ts";
import { number, share, tickLabels } from "../src/data/numbers.ts";
import { callsFor } from "../src/data/reports.ts";
import { rates, remaining, Seconds } from "../src/data/rate.ts";
import { chartOf, csvCell, csvOf, isUnfinished, numbersByValueOf, numbersOf } from "../src/data/series.ts";
import { from } from "../src/json.ts";

test("times are those of the project's zone", () => {
  assert.equal(time("2026-11-29T23:30:00Z", "Europe/Berlin"), "2026-11-30 00:30:00");
  assert.equal(time("2026-06-30T23:30:00.999Z", "Asia/Kathmandu"), "2026-07-01 05:15:00");
  assert.equal(time("2026-03-08T07:30:00Z", "America/New_York"), "2026-03-08 03:30:00");
  assert.equal(time("0000-05-01T12:00:00Z", "Europe/London").slice(-5), "58:45");
  assert.equal(time("never", "UTC"), "never");
  assert.equal(dayOf(Date.parse("2026-11-29T10:00:00Z"), "Pacific/Kiritimati"), "2026-11-30");
  assert.equal(timeOf(wall(Date.parse("2026-11-29T00:00:00Z"), "UTC")), "2026-11-29 00:00:00");
});

test("days are counted, and units end where they end", () => {
  assert.equal(addDays("2026-02-28", 1), "2026-03-01");
  assert.equal(daysIn("2026-03-07", "2026-03-09"), 3); // the screen's clock jumps between them
  assert.equal(timeOf(endOf("2026-01-01", "month")), "2026-02-01 00:00:00");
  assert.equal(timeOf(endOf("2026-12-15", "month")), "2027-01-01 00:00:00");
  assert.equal(timeOf(endOf("2026-11-23", "week")), "2026-11-30 00:00:00");
  assert.equal(timeOf(endOf("2026-11-29 14:00:00", "hour")), "2026-11-29 15:00:00");
  assert.ok(isDay("2024-02-29") && !isDay("2026-02-29") && !isDay("2026-2-1") && !isDay(""));
  assert.deepEqual([["2026-11-01", "2026-11-02"], ["2026-09-01", "2026-11-30"], ["2025-11-01", "2026-11-30"], ["2020-01-01", "2026-01-01"]].map(([one, other]) => unitFor(one!, other!)), ["hour", "day", "week", "month"]);
});

test("the first range is where the data is", () => {
  const today = "2026-11-29";
  assert.deepEqual(firstRange(today, undefined, undefined), { from: "2026-10-31", to: today });
  assert.deepEqual(firstRange(today, "2025-09-01", "2025-10-30"), { from: "2025-09-01", to: "2025-10-30" });
  assert.deepEqual(firstRange(today, "2026-11-20", "2026-11-28"), { from: "2026-11-20", to: today });
  assert.deepEqual(firstRange(today, "2019-01-01", "2026-11-29"), { from: "2026-10-31", to: today });
  assert.deepEqual(firstRange(today, "2026-11-29", "2026-12-01"), { from: "2026-11-29", to: "2026-12-01" });
});

test("an axis says what its lines are", () => {
  assert.deepEqual(tickLabels([0, 1250, 2500]), ["0", "1,250", "2,500"]);
  assert.deepEqual(tickLabels([0, 12_500, 25_000]), ["0", "12.5K", "25K"]);
  assert.deepEqual(tickLabels([0, 250_000, 500_000, 1_250_000]), ["0", "0.25M", "0.5M", "1.25M"]);
  assert.deepEqual(tickLabels([0, 0.5, 1]), ["0", "0.5", "1"]);
  assert.deepEqual(tickLabels([-20_000, 0, 20_000]), ["-20K", "0", "20K"]);
  assert.equal(tickLabels([0, 1_000_001, 2_000_002]).join(), "0,1,000,001,2,000,002");
  assert.equal(number(1234.567), "1,235");
  assert.equal(number(0.12345), "0.1235");
});

test("a share is 100 % only when it is all of it", () => {
  assert.deepEqual([share(1, 1), share(9999, 10_000), share(1, 100_000), share(0, 5), share(1, 3), share(1, 0)], ["100 %", "> 99.9 %", "< 0.1 %", "0 %", "33.3 %", ""]);
});

test("a rate does not spike with bursts, and does not end in zeros", () => {
  const bursts = Array.from({ length: 101 }, (_, index): [number, number] => [index / 10, 1000 * Math.floor(index / 10)]); // all of a second's at once
  const found = rates(bursts);
  assert.ok(found.length > 60 && found.every(([, rate]) => rate > 600 && rate < 1400), JSON.stringify(found));
  assert.deepEqual(rates([[0, 0], [1, 500]]), []);
  assert.equal(remaining([[0, 0], [5, 500], [10, 1000]], 2000), 10);
  assert.equal(remaining([[0, 0], [10, 2000]], 2000), undefined);
});

test("the last minute is a minute, also of what came before the page", () => {
  const seconds = new Seconds(120);
  seconds.add(1000, 5, 1);
  seconds.add(1059, 7, 0);
  seconds.add(1059, 1, 2);
  assert.deepEqual(seconds.last(60, 1059), [13, 3]);
  assert.deepEqual(seconds.last(60, 1060), [8, 2]);
  seconds.add(1121, 1, 0);
  assert.deepEqual(seconds.at(1000), [0, 0]);
});

const report = from({ series: ["2026-10-01", "2026-11-01"], values: { A: { "2026-10-01": 3, "2026-11-01": 4 }, "=B": { "2026-11-01": 1.5 } } });

test("only what can be added up has a total", () => {
  assert.deepEqual(chartOf(report, "general").series.map(({ label, values, total }) => [label, values, total]), [["A", [3, 4], 7], ["=B", [0, 1.5], 1.5]]);
  for (const measure of ["unique", "average", "mean"] as const) assert.ok(chartOf(report, measure).series.every(({ total }) => total === undefined), measure);
  const sums = from({ results: { "2026-11-02": 2, "2026-11-01": 40, "2026-11-03": null } });
  assert.deepEqual(numbersOf(sums, "price", "sum"), { labels: ["2026-11-01", "2026-11-02", "2026-11-03"], series: [{ label: "price", values: [40, 2, null], total: 42 }] });
  assert.equal(numbersOf(sums, "price", "mean").series[0]!.total, undefined);
});

test("sums and averages by a property have every unit of the range", () => {
  const answer = from({ results: [[{ name: "pro", count: 3, times: [[Date.UTC(2026, 10, 3), 10, 4], [Date.UTC(2026, 10, 1), 5, 2]] }, { name: "free", count: 1, times: [] }]], total: 1 });
  const range = { from: "2026-11-01", to: "2026-11-03" };
  assert.deepEqual(numbersByValueOf(answer, "sum", "day", range), { labels: ["2026-11-01", "2026-11-02", "2026-11-03"], series: [{ label: "pro", values: [5, 0, 10], total: 15 }, { label: "free", values: [0, 0, 0], total: 0 }] });
  assert.deepEqual(numbersByValueOf(answer, "mean", "day", range).series, [{ label: "pro", values: [2.5, null, 2.5], total: undefined }, { label: "free", values: [null, null, null], total: undefined }]);
  const hours = numbersByValueOf(from({ results: [[{ name: "pro", count: 1, times: [[Date.UTC(2026, 10, 1, 23), 7, 1]] }]] }), "sum", "hour", { from: "2026-11-01", to: "2026-11-01" });
  assert.deepEqual([hours.labels.length, hours.labels[0], hours.labels[23], hours.series[0]!.values[23]], [24, "2026-11-01 00:00:00", "2026-11-01 23:00:00", 7]);
  assert.deepEqual(numbersByValueOf(from({ results: [[]] }), "sum", "day", range).series, []);
});

test("a sum by a property is one call, like every question about one event", () => {
  const question = { events: ["A", "B"], measure: "sum", of: "price", by: "plan", where: "", unit: "day", from: "2026-11-01", to: "2026-11-02" } as const;
  const calls = callsFor({ ...question, events: ["A", "B"] });
  assert.deepEqual(calls.map(({ action, input }) => [action, input["params"]]), ["A", "B"].map((event) => ["query_jql", { event, of: "price", by: "plan", unit: "day", limit: 12, from_date: "2026-11-01", to_date: "2026-11-02" }]));
  assert.equal((callsFor({ ...question, events: ["A"], where: "true" })[0]!.input["params"] as { where?: string }).where, "true");
  assert.equal(callsFor({ ...question, events: ["A"], by: "" })[0]!.action, "query_segmentation_sum");
});

test("the unit that still runs is told from the others", () => {
  assert.ok(isUnfinished(["2026-10-01", "2026-11-01"], "month", secondsOf("2026-11-29 23:59:59")));
  assert.ok(!isUnfinished(["2026-11-28"], "day", secondsOf("2026-11-29")));
  assert.ok(isUnfinished(["2026-11-29"], "day", secondsOf("2026-11-29")));
  assert.ok(!isUnfinished([], "day", 0));
});

test("CSV is no formula, and holds the same numbers", () => {
  assert.equal(csvOf(chartOf(report, "general")), "time,A,'=B\r\n2026-10-01,3,0\r\n2026-11-01,4,1.5\r\n");
  assert.deepEqual([csvCell('a"b'), csvCell("a,b"), csvCell("+1"), csvCell(-1), csvCell("\tx")], ['"a""b"', '"a,b"', "'+1", "-1", "'\tx"]);
});

test("every colour of a chart has 3:1 against its ground, light and dark", () => {
  for (const scheme of ["light", "dark"] as const) for (const colour of [...palettes[scheme], refused[scheme]]) assert.ok(contrast(colour, grounds[scheme]) >= 3, `${scheme} ${colour}: ${contrast(colour, grounds[scheme])}`);
});

test("a record is shown with all that it becomes, and why it becomes nothing", () => {
  const { records, problem } = mappedOf(from({ records: [{ source: "body", line: 2, before: { a: 1 }, after: [{ record: { event: "A" } }, { left_out: "profiles" }, { code: "time_missing", message: "there is no time" }] }], problem: "The rest cannot be read." }));
  assert.equal(records[0]!.place, "body:2");
  assert.deepEqual(records[0]!.after.map(({ record, note, isRefused }) => [record !== undefined, note, isRefused]), [[true, "", false], [false, "Left out: profiles.", false], [false, "Would be rejected (time_missing): there is no time.", true]]);
  assert.equal(problem, "The rest cannot be read.");
});
