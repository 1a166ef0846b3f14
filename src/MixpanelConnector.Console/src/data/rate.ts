/** How far something was, and when, in seconds of its own clock. */
export type Sample = [seconds: number, count: number];

/** Counts are told in bursts: over so many seconds they are a rate. */
const window = 3;

/** Counts a second, at each sample that has the window before it: what was counted in the window, over the window. */
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

/** Seconds until all is done at the present rate; nothing where nobody can tell. */
export function remaining(samples: Sample[], whole: number): number | undefined {
  const last = samples.at(-1);
  const rate = rates(samples).at(-1)?.[1];
  if (!last || !rate || whole <= last[1]) return undefined;
  return (whole - last[1]) / rate;
}

/** What came in each second; what is older than is looked at is forgotten. */
export class Seconds {
  readonly #counts = new Map<number, [accepted: number, rejected: number]>();

  constructor(readonly kept: number) {}

  add(second: number, accepted: number, rejected: number) {
    const [before, refused] = this.#counts.get(second) ?? [0, 0];
    this.#counts.set(second, [before + accepted, refused + rejected]);
    for (const at of this.#counts.keys()) if (at <= second - this.kept) this.#counts.delete(at);
  }

  at = (second: number): [accepted: number, rejected: number] => this.#counts.get(second) ?? [0, 0];

  /** What came in the seconds up to one, the second itself included. */
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
