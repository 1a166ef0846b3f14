/** Days and times in a project's time zone. Charts over time use these, whatever the browser's zone. */

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(zone: string): Intl.DateTimeFormat {
  let format = formats.get(zone);
  if (!format) {
    format = new Intl.DateTimeFormat("en-US", { timeZone: zone, hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric", era: "short" });
    formats.set(zone, format);
  }
  return format;
}

/** The wall-clock time in the zone, as the epoch seconds at which UTC shows the same time. */
export function wall(milliseconds: number, zone: string): number {
  if (zone === "UTC") return Math.floor(milliseconds / 1000);
  const parts: Record<string, string> = {};
  for (const { type, value } of formatOf(zone).formatToParts(milliseconds)) parts[type] = value;
  const at = (name: string) => Number(parts[name]);
  return Date.UTC(parts["era"] === "BC" ? 1 - at("year") : at("year"), at("month") - 1, at("day"), at("hour"), at("minute"), at("second")) / 1000;
}

/** A time in ISO format in the zone: 2026-11-29 14:03:09. A text that is not a time is returned unchanged. */
export function time(iso: string, zone: string): string {
  const at = new Date(iso).valueOf();
  return Number.isNaN(at) ? iso : timeOf(wall(at, zone));
}

/** Wall-clock seconds in ISO format. */
export const timeOf = (seconds: number) => new Date(seconds * 1000).toISOString().slice(0, 19).replace("T", " ");

export const dayOf = (milliseconds: number, zone: string) => timeOf(wall(milliseconds, zone)).slice(0, 10);

/** The wall-clock seconds of a date in a report: 2026-11-29, or 2026-11-29 14:00:00. */
export const secondsOf = (label: string) => Date.parse(`${label.length === 10 ? `${label}T00:00:00` : label.replace(" ", "T")}Z`) / 1000;

export const addDays = (day: string, days: number) => timeOf(secondsOf(day) + days * 86400).slice(0, 10);

/** The number of days from one to another, inclusive. */
export const daysIn = (from: string, to: string) => Math.round((secondsOf(to) - secondsOf(from)) / 86400) + 1;

export const isDay = (text: string) => /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(secondsOf(text)) && timeOf(secondsOf(text)).startsWith(text);

export type Unit = "minute" | "hour" | "day" | "week" | "month";

/** The unit in which a range of days has neither too few nor too many points. */
export function unitFor(from: string, to: string): Unit {
  const days = daysIn(from, to);
  return days <= 2 ? "hour" : days <= 92 ? "day" : days <= 730 ? "week" : "month";
}

export interface Range {
  from: string;
  to: string;
}

/** The initial range: the days that have data, at most the last thirty of them. */
export function firstRange(today: string, first: string | undefined, last: string | undefined): Range {
  if (first === undefined || last === undefined) return { from: addDays(today, -29), to: today };
  const to = last >= addDays(today, -29) ? (last > today ? last : today) : last;
  const from = daysIn(first, to) <= 92 ? first : addDays(to, -29);
  return { from, to };
}

/** The end of the unit that begins at a date in a report. */
export function endOf(label: string, unit: Unit): number {
  const start = secondsOf(label);
  if (unit === "month") {
    const at = new Date(start * 1000);
    return Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1, 1) / 1000;
  }
  if (unit === "week") return start + 7 * 86400 - ((new Date(start * 1000).getUTCDay() + 6) % 7) * 86400; // weeks end on Sunday
  return start + { minute: 60, hour: 3600, day: 86400 }[unit];
}
