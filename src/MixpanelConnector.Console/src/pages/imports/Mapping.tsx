import { Checkbox, Group, NativeSelect, Table, Text, TextInput } from "@mantine/core";
import { useId } from "react";
import { type Inspection, type InspectedColumn, inProperties } from "../../data/inspection.ts";
import { number } from "../../data/numbers.ts";
import { visible } from "../../text.ts";
import type { Options } from "../../uploads.ts";

/** The fields that a column can give, by what the records are. */
const fields: Record<string, string[]> = {
  events: ["event", "time", "distinct_id", "insert_id"],
  profiles: ["distinct_id"],
  groups: ["group_id"],
  "lookup-table": [],
};

const repairs: [fix: string, meaning: string][] = [
  ["time", "parse times from text"],
  ["ids", "repair user ids"],
  ["nulls", "drop empty values"],
  ["insert-ids", "repair $insert_id"],
];

const mostColumns = 200;

/** What becomes of each column, and which repairs are made. */
export function Mapping({ inspection, options, onChange }: { inspection: Inspection; options: Options; onChange: (changes: Partial<Options>) => void }) {
  const { columns, isRows } = inspection;
  const hasEvent = options.type !== "events" || columns.some(({ name }) => name === "event") || options.map["event"] !== undefined;
  const shown = columns.slice(0, mostColumns);
  return (
    <>
      {columns.length > 0 && (
        <div className="scroll" tabIndex={0} role="region" aria-label="Columns">
          <Table striped>
            <Table.Thead><Table.Tr><Table.Th scope="col">{isRows ? "Column" : "Field"}</Table.Th><Table.Th scope="col">Type</Table.Th><Table.Th scope="col">Samples</Table.Th><Table.Th scope="col">Import as</Table.Th></Table.Tr></Table.Thead>
            <Table.Tbody>
              {shown.map((column) => (
                <Table.Tr key={column.name}>
                  <Table.Th scope="row" className="wrap">{visible(column.name)}</Table.Th>
                  <Table.Td>{column.type}</Table.Td>
                  <Table.Td className="faint wrap">{visible(column.samples.join(", "))}</Table.Td>
                  <Table.Td><Becomes column={column} isRows={isRows} options={options} onChange={onChange} /></Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
          {columns.length > shown.length && <Text size="sm" c="dimmed" p="xs">And {number(columns.length - shown.length)} more, unchanged.</Text>}
        </div>
      )}
      {options.type !== "lookup-table" && (
        <Group align="end">
          {!hasEvent && <TextInput label="Event name for all records" value={options.event} onChange={(typed) => onChange({ event: typed.currentTarget.value })} />}
          <Group role="group" aria-label="Repairs" gap="md">
            {repairs.filter(([fix]) => options.type === "events" || fix !== "insert-ids").map(([fix, meaning]) => (
              <Checkbox key={fix} label={meaning} checked={options.fix.includes(fix)} onChange={(toggled) => onChange({ fix: toggled.currentTarget.checked ? [...options.fix, fix] : options.fix.filter((one) => one !== fix) })} />
            ))}
            {isRows && <Checkbox label="decimal comma" checked={options.decimal === ","} onChange={(toggled) => onChange({ decimal: toggled.currentTarget.checked ? "," : "" })} />}
          </Group>
        </Group>
      )}
    </>
  );
}

const [stays, leaves] = ["", "-"];

function Becomes({ column, isRows, options, onChange }: { column: InspectedColumn; isRows: boolean; options: Options; onChange: (changes: Partial<Options>) => void }) {
  const label = useId();
  const known = fields[options.type] ?? [];
  const property = isRows ? column.name : column.name.startsWith(inProperties) ? column.name.slice(inProperties.length) : undefined;
  if (property === undefined || known.length === 0 || property.includes("=")) return <Text size="sm" c="dimmed">unchanged</Text>;
  // Properties of records take other names; columns of rows are named as what holds a field.
  const current = options.drop.includes(property) ? leaves : isRows ? (Object.entries(options.map).find(([, from]) => from === property)?.[0] ?? (known.includes(property) ? property : stays)) : (options.rename[property] ?? stays);
  const choices = isRows ? known : known.filter((field) => field !== "event" && field !== "group_id");

  function become(to: string) {
    const drop = options.drop.filter((one) => one !== property);
    if (to === leaves) drop.push(property!);
    if (isRows) {
      const map = Object.fromEntries(Object.entries(options.map).filter(([field, from]) => from !== property && field !== to));
      if (to !== stays && to !== leaves && to !== property) map[to] = property!;
      onChange({ map, drop });
    } else {
      const rename = Object.fromEntries(Object.entries(options.rename).filter(([before, after]) => before !== property && after !== to));
      if (to !== stays && to !== leaves) rename[property!] = to === "insert_id" ? "$insert_id" : to;
      onChange({ rename, drop });
    }
  }

  return <NativeSelect id={label} size="xs" aria-label={`Import ${visible(column.name)} as`} value={current === "$insert_id" ? "insert_id" : current} onChange={(chosen) => become(chosen.currentTarget.value)} data={[{ value: stays, label: isRows ? "property" : "unchanged" }, ...choices, { value: leaves, label: "dropped" }]} />;
}
