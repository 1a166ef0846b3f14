/** Days and times as a project's time zone shows them. What is drawn over time goes by these, whatever zone the screen is in. */

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(zone: string): Intl.DateTimeFormat {
  let format = formats.get(zone);
  if (!format) {
    format = new Intl.DateTimeFormat("en-US", { timeZone: zone, hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric", era: "short" });
    formats.set(zone, format);
  }
  return format;
}

/** What a clock in the zone shows at a moment, as the seconds of the epoch at which UTC shows the same. */
export function wall(milliseconds: number, zone: string): number {
  if (zone === "UTC") return Math.floor(milliseconds / 1000);
  const parts: Record<string, string> = {};
  for (const { type, value } of formatOf(zone).formatToParts(milliseconds)) parts[type] = value;
  const at = (name: string) => Number(parts[name]);
  return Date.UTC(parts["era"] === "BC" ? 1 - at("year") : at("year"), at("month") - 1, at("day"), at("hour"), at("minute"), at("second")) / 1000;
}

/** A moment as ISO writes it, in the zone: 2026-11-29 14:03:09. What is no moment stays as it is. */
export function time(iso: string, zone: string): string {
  const at = new Date(iso).valueOf();
  return Number.isNaN(at) ? iso : timeOf(wall(at, zone));
}

/** Seconds of a wall clock as ISO writes them. */
export const timeOf = (seconds: number) => new Date(seconds * 1000).toISOString().slice(0, 19).replace("T", " ");

export const dayOf = (milliseconds: number, zone: string) => timeOf(wall(milliseconds, zone)).slice(0, 10);

/** Seconds of the wall clock that a report's date stands for: 2026-11-29, or 2026-11-29 14:00:00. */
export const secondsOf = (label: string) => Date.parse(`${label.length === 10 ? `${label}T00:00:00` : label.replace(" ", "T")}Z`) / 1000;

export const addDays = (day: string, days: number) => timeOf(secondsOf(day) + days * 86400).slice(0, 10);

/** How many days lie between two, both of them counted. */
export const daysIn = (from: string, to: string) => Math.round((secondsOf(to) - secondsOf(from)) / 86400) + 1;

export const isDay = (text: string) => /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(secondsOf(text)) && timeOf(secondsOf(text)).startsWith(text);

export type Unit = "minute" | "hour" | "day" | "week" | "month";

/** The unit in which a range of days is neither a handful of points nor a crowd of them. */
export function unitFor(from: string, to: string): Unit {
  const days = daysIn(from, to);
  return days <= 2 ? "hour" : days <= 92 ? "day" : days <= 730 ? "week" : "month";
}

export interface Range {
  from: string;
  to: string;
}

/** The days to begin with: those that have data, and of a long past the last thirty of them. */
export function firstRange(today: string, first: string | undefined, last: string | undefined): Range {
  if (first === undefined || last === undefined) return { from: addDays(today, -29), to: today };
  const to = last >= addDays(today, -29) ? (last > today ? last : today) : last;
  const from = daysIn(first, to) <= 92 ? first : addDays(to, -29);
  return { from, to };
}

/** When the unit ends that begins at a report's date. */
export function endOf(label: string, unit: Unit): number {
  const start = secondsOf(label);
  if (unit === "month") {
    const at = new Date(start * 1000);
    return Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1, 1) / 1000;
  }
  if (unit === "week") return start + 7 * 86400 - ((new Date(start * 1000).getUTCDay() + 6) % 7) * 86400; // weeks end on Sunday
  return start + { minute: 60, hour: 3600, day: 86400 }[unit];
}
