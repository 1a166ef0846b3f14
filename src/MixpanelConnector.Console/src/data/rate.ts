/** The progress at a time, in seconds of its own clock. */
export type Sample = [seconds: number, count: number];

/** Counts arrive in bursts: rates are averaged over this many seconds. */
const window = 3;

/** The rate per second at each sample with a full window before it, averaged over the window. */
export function rates(samples: Sample[]): Sample[] {
  const found: Sample[] = [];
  let from = 0;
  samples.forEach(([at, count], index) => {
    while (from + 1 < index && samples[from + 1]![0] <= at - window) from++;
    const [since, before] = samples[from]!;
    if (at - since >= window) found.push([at, Math.max(0, (count - before) / (at - since))]);
  });
  return found;
}

/** The seconds until completion at the current rate; undefined if unknown. */
export function remaining(samples: Sample[], whole: number): number | undefined {
  const last = samples.at(-1);
  const rate = rates(samples).at(-1)?.[1];
  if (!last || !rate || whole <= last[1]) return undefined;
  return (whole - last[1]) / rate;
}

/** The counts of each second; old ones are dropped. */
export class Seconds {
  readonly #counts = new Map<number, [accepted: number, rejected: number]>();

  constructor(readonly kept: number) {}

  add(second: number, accepted: number, rejected: number) {
    const [before, refused] = this.#counts.get(second) ?? [0, 0];
    this.#counts.set(second, [before + accepted, refused + rejected]);
    for (const at of this.#counts.keys()) if (at <= second - this.kept) this.#counts.delete(at);
  }

  at = (second: number): [accepted: number, rejected: number] => this.#counts.get(second) ?? [0, 0];

  /** The counts of the last seconds up to one, inclusive. */
  last(seconds: number, until: number): [accepted: number, rejected: number] {
    const sum: [number, number] = [0, 0];
    for (let second = until - seconds + 1; second <= until; second++) {
      const [accepted, rejected] = this.at(second);
      sum[0] += accepted;
      sum[1] += rejected;
    }
    return sum;
  }

  clear() {
    this.#counts.clear();
  }
}
