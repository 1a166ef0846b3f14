import { Button, Group, Stack, Text, Textarea } from "@mantine/core";
import { IconSend } from "@tabler/icons-react";
import { useMemo, useState } from "react";
import { type Problem, request } from "../../api.ts";
import { useAsked } from "../../asked.ts";
import { Bars } from "../../Bars.tsx";
import { number } from "../../data/numbers.ts";
import { compact, get, type Json, JsonError, parse, shown, write } from "../../json.ts";
import { type ImportJob, lines } from "../../live.ts";
import { asProblem, Loading, ProblemAlert } from "../../parts.tsx";
import { visible } from "../../text.ts";
import { type MappingOptions, sendAgain } from "../../uploads.ts";

const mostLetters = 1000;
const step = 20;

interface Letter {
  number: number;
  line: string;
  code: string;
  message: string;
  /** The record in a form that can be sent. */
  text: string;
  mapping: MappingOptions;
  /** Whether its mapping used lookups in other files, which are not available here. */
  isLookedUp: boolean;
  /** Whether a value does not match its column: sent as it is, it would be accepted as text. */
  isMisfit: boolean;
}

/** Records of an import that were not accepted, by reason: to inspect, edit and resend. */
export function DeadLetters({ job, mayChange }: { job: ImportJob; mayChange: boolean }) {
  const read = useAsked(job.id, async () => await first(await request("GET", `/v1/imports/${job.id}/dead-letters`)));
  const [code, setCode] = useState<string>();
  const [most, setMost] = useState(step);
  const [edited, setEdited] = useState<Record<number, string>>({});
  const [problem, setProblem] = useState<Problem>();
  const [isBusy, setBusy] = useState(false);
  const [done, setDone] = useState<ReadonlySet<number>>(new Set());
  const groups = useMemo(() => {
    const counts = new Map<string, number>();
    for (const { message } of read.value?.letters ?? []) counts.set(message, (counts.get(message) ?? 0) + 1);
    return [...counts].map(([name, count]) => ({ name, count })).sort((one, other) => other.count - one.count);
  }, [read.value]);
  if (read.problem) return <ProblemAlert problem={read.problem} />;
  if (!read.value) return <Loading />;
  const { letters, isAll } = read.value;
  const reason = code ?? groups[0]?.name;
  const all = letters.filter((letter) => letter.message === reason && !done.has(letter.number));
  const faults = Object.fromEntries(all.flatMap((letter) => {
    const text = edited[letter.number];
    const fault = text === undefined && letter.isMisfit ? "Correct the value that does not match its column first." : faultOf(text ?? letter.text);
    return fault === undefined ? [] : [[letter.number, fault]];
  }));
  const ready = all.filter(({ number }) => faults[number] === undefined);
  const isFromFile = job.type === "lookup-table" || job.type === "groups" || all.some(({ isLookedUp }) => isLookedUp);

  async function send() {
    setProblem(undefined);
    setBusy(true);
    try {
      await sendAgain(ready.map((letter) => compact(parse(edited[letter.number] ?? letter.text))), `${job.name}, sent again`, job.type, ready[0]!.mapping);
      setDone(new Set([...done, ...ready.map(({ number }) => number)]));
    } catch (error) {
      setProblem(asProblem(error));
    } finally {
      setBusy(false);
    }
  }

  return (
    <Stack mt="sm">
      <Bars title="By reason" column="Reason" count="Records" rows={groups} whole={letters.length} selected={reason} onSelect={(one) => { setCode(one); setMost(step); }} />
      {!isAll && <Text size="sm" c="dimmed">Only the first {number(mostLetters)} are shown: download the file to see all.</Text>}
      <div role="region" aria-label="Rejected records" className="letters">
        {all.slice(0, most).map((letter) => (
          <Textarea key={letter.number} label={`Line ${letter.line}`} autosize minRows={2} maxRows={16} spellCheck={false} classNames={{ input: "mono" }} value={edited[letter.number] ?? visible(letter.text)} error={faults[letter.number]} onChange={(typed) => {
            const text = typed.currentTarget.value;
            setEdited((before) => ({ ...before, [letter.number]: text }));
          }} />
        ))}
        {all.length > most && <Button variant="subtle" onClick={() => setMost(most + step)}>Show {number(Math.min(step, all.length - most))} more</Button>}
        {all.length === 0 && <Text size="sm">All of these were sent again: see the import above.</Text>}
      </div>
      <ProblemAlert problem={problem} />
      {all.length > 0 && (
        <Group>
          <Button leftSection={<IconSend size={16} />} disabled={!mayChange || ready.length === 0 || isFromFile} loading={isBusy} onClick={() => void send()}>Send {number(ready.length)} again</Button>
          <Text size="sm" c="dimmed">{!mayChange ? "Turn on “Allow changes” at the top of the page first." : isFromFile ? "These records cannot be sent again from here: correct the file and import it again." : "Correct the records above; they are sent as a separate import."}</Text>
        </Group>
      )}
    </Stack>
  );
}

function faultOf(text: string): string | undefined {
  try {
    return parse(text).kind === "object" ? undefined : "A record must be a JSON object.";
  } catch (error) {
    return error instanceof JsonError ? error.message : "This is not valid JSON.";
  }
}

/** The first dead letters; there may be many. */
async function first(response: Response): Promise<{ letters: Letter[]; isAll: boolean }> {
  const letters: Letter[] = [];
  for await (const line of lines(response.body!)) {
    if (line === "") continue;
    if (letters.length === mostLetters) return { letters, isAll: false };
    letters.push(letterOf(parse(line), letters.length));
  }
  return { letters, isAll: true };
}

function letterOf(json: Json, index: number): Letter {
  const [raw, options] = [get(json, "raw"), get(json, "options")];
  const mapping = get(options, "mapping");
  const text = (name: string) => shown(get(options, name));
  return { mapping: { vendor: text("vendor"), mapping: mapping === undefined ? "" : compact(mapping), identity: text("identity"), ...(text("group_key") === "" ? {} : { group_key: text("group_key") }) }, isLookedUp: get(options, "looked_up") !== undefined, isMisfit: get(json, "misfits") !== undefined, number: index, line: shown(get(json, "line")), code: shown(get(json, "code")), message: shown(get(json, "message")) || shown(get(json, "code")), text: raw === undefined ? "" : raw.kind === "string" ? raw.value : write(withId(raw, json)) };
}

/** A record that may have arrived keeps the id with which it was sent, so that Mixpanel counts it once. */
function withId(raw: Json, letter: Json): Json {
  const [id, properties] = [get(letter, "insert_id"), get(raw, "properties")];
  if (shown(get(letter, "maybe_delivered")) !== "true" || id === undefined || raw.kind !== "object" || properties?.kind !== "object" || get(properties, "$insert_id")) return raw;
  return { kind: "object", entries: raw.entries.map(([name, value]) => (name === "properties" ? [name, { kind: "object", entries: [...properties.entries, ["$insert_id", id]] }] : [name, value])) };
}
