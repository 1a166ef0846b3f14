import { Text, Title } from "@mantine/core";
import { number, share } from "./data/numbers.ts";
import { Loading } from "./parts.tsx";
import { visible } from "./text.ts";

/** Names and their counts as bars: the whole width is all of it. */
export function Bars({ title, column, count, rows, whole, isBusy = false, selected, onSelect, href, none = "None.", level = 3 }: {
  title: string;
  column: string;
  /** What is counted. */
  count: string;
  rows: { name: string; count: number }[] | undefined;
  /** How many there are in all; a name that all have reaches the end. */
  whole: number;
  isBusy?: boolean;
  selected?: string;
  onSelect?: (name: string) => void;
  href?: (name: string) => string;
  none?: string;
  /** The level of its heading. */
  level?: 2 | 3;
}) {
  return (
    <section aria-label={title}>
      <Title order={level} size="h5" mb="xs">{title}</Title>
      {rows === undefined ? isBusy ? <Loading height={160} /> : <Text c="dimmed" size="sm">Not queried yet.</Text> : rows.length === 0 ? <Text c="dimmed" size="sm">{none}</Text> : (
        <table className="bars">
          <colgroup><col /><col className="count" /><col className="share" /></colgroup>
          <thead className="visually-hidden"><tr><th scope="col">{column}</th><th scope="col">{count}</th><th scope="col">Share</th></tr></thead>
          <tbody>
            {rows.map(({ name, count }) => (
              <tr key={name}>
                <th scope="row">
                  {onSelect ? <button type="button" aria-pressed={name === selected} onClick={() => onSelect(name)}>{visible(name)}</button> : href ? <a href={href(name)}>{visible(name)}</a> : <span>{visible(name)}</span>}
                  <i aria-hidden="true"><i style={{ width: `${Math.min(100, (100 * count) / Math.max(1, whole))}%` }} /></i>
                </th>
                <td>{number(count)}</td>
                <td>{share(count, whole)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
