/** A number for people: thousands by commas, and as many decimals as tell something. */
export function number(value: number): string {
  return value.toLocaleString("en", { maximumFractionDigits: Math.abs(value) < 1 ? 4 : Math.abs(value) < 1000 ? 2 : 0 });
}

/** A number of things, in the singular for one. */
export function counted(value: number, thing: string): string {
  return `${number(value)} ${value === 1 ? thing : `${thing}s`}`;
}

const scales: [least: number, letter: string][] = [[1e12, "T"], [1e9, "B"], [1e6, "M"], [1e3, "K"], [1, ""]];

/** The labels of an axis: all in one unit, with as many decimals as each of them needs. 1,250 is 1.25K, or 1,250, but never 1.3K. */
export function tickLabels(ticks: number[]): string[] {
  const most = Math.max(...ticks.map(Math.abs), 0);
  const [scale, letter] = most < 10_000 ? [1, ""] : scales.find(([least]) => most >= least)!;
  for (let decimals = 0; decimals <= 3; decimals++) {
    const texts = ticks.map((tick) => (tick / scale).toLocaleString("en", { maximumFractionDigits: decimals }));
    if (texts.every((text, index) => Math.abs(Number(text.replaceAll(",", "")) * scale - ticks[index]!) < Math.max(1e-9, most * 1e-9))) return texts.map((text) => (text === "0" ? text : text + letter));
  }
  return ticks.map((tick) => number(tick));
}

/** A part as per cent; what is less than all of it is never 100, and what is more than nothing never 0. */
export function share(part: number, whole: number): string {
  if (whole <= 0) return "";
  const percent = (100 * part) / whole;
  if (part > 0 && percent < 0.1) return "< 0.1 %";
  if (part < whole && percent > 99.9) return "> 99.9 %";
  return `${percent.toLocaleString("en", { maximumFractionDigits: 1 })} %`;
}

export function bytes(value: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(value < 10 ? 1 : 0)} ${units[unit]}`;
}

/** A stretch of time in its two largest units. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}
