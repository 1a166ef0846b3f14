import { Stack, Text } from "@mantine/core";
import type { Mapped } from "../../data/mapped.ts";
import { number } from "../../data/numbers.ts";
import { JsonView } from "../../parts.tsx";
import { visible } from "../../text.ts";

/** The first records of a file, before and after their mapping. */
export function MappedRecords({ mapped: { records, problem }, isStale }: { mapped: Mapped; isStale: boolean }) {
  return (
    <Stack mt="md">
      <div role="status"><Text size="sm">{isStale ? "Updating …" : records.length === 0 ? "No records to show." : records.length === 1 ? "The first record, before and after mapping." : `The first ${number(records.length)} records, before and after mapping.`}</Text></div>
      {problem !== "" && <Text size="sm" className="problem wrap">{visible(problem)}</Text>}
      {records.map(({ place, before, after }) => (
        <div key={place} className="before-after" role="group" aria-label={`Record ${visible(place)}`}>
          <div>
            <Text size="xs" c="dimmed" className="wrap">{visible(place)}</Text>
            <JsonView json={before} label="original record" />
          </div>
          <Stack gap="xs">
            {after.map(({ record, note, isRefused }, index) => (
              <div key={index}>
                <Text size="xs" className={isRefused ? "warning wrap" : "wrap"}>{note === "" ? "becomes" : visible(note)}</Text>
                {record && <JsonView json={record} label="mapped record" />}
              </div>
            ))}
          </Stack>
        </div>
      ))}
    </Stack>
  );
}
