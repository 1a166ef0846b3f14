import { Button, FileButton, Group, NativeSelect, Paper, Progress, Stack, Switch, Text, TextInput, Title } from "@mantine/core";
import { IconFileImport, IconPlayerPlay, IconSearch } from "@tabler/icons-react";
import { type DragEvent, useRef, useState } from "react";
import type { Problem } from "../../api.ts";
import { bytes, counted, number } from "../../data/numbers.ts";
import { type Inspection, inspectionOf } from "../../data/inspection.ts";
import { type Mapped, mappedOf } from "../../data/mapped.ts";
import { get, shown } from "../../json.ts";
import { useLive } from "../../live.ts";
import { asProblem, Loading, ProblemAlert } from "../../parts.tsx";
import { visible } from "../../text.ts";
import { inspect, isMapped, noOptions, type Options, showMapping, start } from "../../uploads.ts";
import { Counts, Reasons } from "./Job.tsx";
import { Mapping } from "./Mapping.tsx";
import { MappedRecords } from "./MappedRecords.tsx";
import { Origin } from "./Origin.tsx";

/** A file on its way: looked at, mapped, tried, and started. Nothing is sent to Mixpanel before it is started. */
export function NewImport({ mayChange }: { mayChange: boolean }) {
  const [file, setFile] = useState<File>();
  const [options, setOptions] = useState<Options>(noOptions);
  const [inspection, setInspection] = useState<Inspection>();
  const [mapped, setMapped] = useState<Mapped>();
  const [isLooking, setLooking] = useState(false);
  const [sent, setSent] = useState<number>();
  const [tried, setTried] = useState<{ id: string; options: Options }>();
  const [problem, setProblem] = useState<Problem>();
  const [isOver, setOver] = useState(false);
  const looks = useRef(0);
  const reset = useRef<() => void>(null);

  /** Looks at the first records under some options; a first look takes what is proposed, and looks again. */
  async function look(at: File, under: Options, isFirst: boolean) {
    const mine = ++looks.current;
    setLooking(true);
    setProblem(undefined);
    try {
      if (isMapped(under)) {
        const records = mappedOf(await showMapping(at, under));
        if (mine === looks.current) setMapped(records);
        return;
      }

      let found = inspectionOf(await inspect(at, under), at.name);
      let taken = under;
      if (isFirst && found.proposal) {
        const { format, map, rename, event, fix } = found.proposal;
        taken = { ...under, format: format || under.format, map, rename, event, fix };
        found = inspectionOf(await inspect(at, taken), at.name);
      }
      if (mine !== looks.current) return;
      setOptions(taken);
      setInspection(found);
      setMapped(undefined);
    } catch (error) {
      if (mine === looks.current) setProblem(asProblem(error));
    } finally {
      if (mine === looks.current) setLooking(false);
    }
  }

  function choose(chosen: File | null | undefined) {
    if (!chosen || sent !== undefined) return;
    setFile(chosen);
    setInspection(undefined);
    setMapped(undefined);
    setTried(undefined);
    const { type, group_key, table_id, strict, vendor, mapping, identity } = options;
    const fresh = { ...noOptions, type, group_key, table_id, strict, vendor, mapping, identity };
    setOptions(fresh);
    reset.current?.(); // else the same file, chosen again, would be no change
    void look(chosen, fresh, true);
  }

  function change(changes: Partial<Options>) {
    const changed = { ...options, ...changes };
    setOptions(changed);
    if (file) void look(file, changed, false);
  }

  /** Records of another form, or not: what was said of columns holds no longer. */
  function originate(changes: Partial<Options>) {
    const { type, group_key, strict, vendor, mapping, identity } = { ...options, ...changes };
    const changed = { ...noOptions, type, group_key, strict, vendor, mapping, identity };
    setOptions(changed);
    setMapped(undefined);
    if (file) void look(file, changed, true);
  }

  function leave() {
    looks.current++;
    setFile(undefined);
    setInspection(undefined);
    setMapped(undefined);
    setTried(undefined);
    setProblem(undefined);
    setLooking(false);
  }

  async function send(isDryRun: boolean) {
    setProblem(undefined);
    setSent(0);
    try {
      const job = await start(file!, options, isDryRun, setSent);
      if (isDryRun) setTried({ id: shown(get(job, "id")), options });
      else leave();
    } catch (error) {
      setProblem(asProblem(error));
    } finally {
      setSent(undefined);
    }
  }

  function drop(event: DragEvent) {
    event.preventDefault();
    setOver(false);
    choose(event.dataTransfer.files[0]);
  }

  return (
    <Paper withBorder p="md" className={isOver ? "over" : undefined} onDragOver={(event: DragEvent) => { event.preventDefault(); setOver(true); }} onDragLeave={() => setOver(false)} onDrop={drop}>
      <Stack>
        <Group align="end">
          <NativeSelect label="Record type" value={options.type} onChange={(chosen) => change({ ...noOptions, strict: options.strict, type: chosen.currentTarget.value, ...(chosen.currentTarget.value === "lookup-table" ? {} : { vendor: options.vendor, mapping: options.mapping, identity: options.identity }) })} data={["events", "profiles", "groups", "lookup-table"]} />
          {options.type === "groups" && <TextInput label="Group key" placeholder="company" value={options.group_key} onChange={(typed) => change({ group_key: typed.currentTarget.value })} />}
          {options.type === "lookup-table" && <TextInput label="Lookup table id" value={options.table_id} onChange={(typed) => change({ table_id: typed.currentTarget.value })} />}
          <Switch label="Mixpanel validates each record" checked={options.strict} onChange={(toggled) => change({ strict: toggled.currentTarget.checked })} />
          <FileButton resetRef={reset} onChange={choose} inputProps={{ "aria-label": "File to import" }}>
            {(props) => <Button {...props} variant={file ? "default" : "filled"} leftSection={<IconFileImport size={16} />} disabled={sent !== undefined}>{file ? "Another file" : "Choose a file"}</Button>}
          </FileButton>
        </Group>
        {!file && <Text size="sm" c="dimmed">Or drop one here: NDJSON, JSON, CSV, TSV, Parquet or Avro of any size, also compressed with gzip or zstd, or several in a ZIP archive; in Mixpanel's format or exported from another tool. The file is inspected first; nothing is sent to Mixpanel until you start the import.</Text>}
        {file && (
          <section aria-label="The file">
            <Group justify="space-between" mb="sm">
              <div>
                <Title order={2} size="h4" className="wrap">{visible(file.name)}</Title>
                <Text size="sm" c="dimmed">{bytes(file.size)}{inspection && ` · ${inspection.form}`}</Text>
              </div>
              <Button variant="default" onClick={leave}>Discard</Button>
            </Group>
            {options.type !== "lookup-table" && <Origin options={options} onChange={originate} />}
            {isMapped(options) ? (mapped ? <MappedRecords mapped={mapped} isStale={isLooking} /> : isLooking && <Loading height={200} />) : !inspection ? isLooking && <Loading height={200} /> : (
              <Stack>
                {inspection.problem !== "" && <Text size="sm" className="problem wrap">{visible(inspection.problem)}</Text>}
                <Mapping inspection={inspection} options={options} onChange={change} />
                <div role="status">
                  <Text size="sm" className={inspection.refused > 0 ? "warning" : undefined}>
                    {isLooking ? "Updating …" : `Of the first ${counted(inspection.records, "record")}, ${inspection.refused === 0 ? "none" : number(inspection.refused)} would be rejected.`}
                  </Text>
                </div>
                {inspection.reasons.length > 0 && <Reasons reasons={inspection.reasons} whole={inspection.records} title="Would be rejected, by reason" />}
                {inspection.proposal && <Proposed inspection={inspection} onTake={(changes) => change({ ...changes, map: { ...options.map, ...changes.map }, rename: { ...options.rename, ...changes.rename }, fix: [...new Set([...options.fix, ...(changes.fix ?? [])])] })} />}
              </Stack>
            )}
            {tried && <Tried id={tried.id} isStale={JSON.stringify(tried.options) !== JSON.stringify(options)} />}
            {sent !== undefined && (
              <div role="status">
                <Text size="sm" mt="xs">Uploading {visible(file.name)}</Text>
                <Progress value={sent * 100} aria-label="Sent" />
              </div>
            )}
            <Group mt="md">
              <Button variant="default" leftSection={<IconSearch size={16} />} disabled={!mayChange || sent !== undefined} onClick={() => void send(true)}>Check the whole file</Button>
              <Button leftSection={<IconPlayerPlay size={16} />} disabled={!mayChange || sent !== undefined} onClick={() => void send(false)}>Start the import</Button>
              <Text size="sm" c="dimmed">{mayChange ? "A check sends nothing to Mixpanel: it reports which records of the file would be rejected." : "An import changes data. Turn on “Allow changes” at the top of the page first."}</Text>
            </Group>
          </section>
        )}
        <ProblemAlert problem={problem} />
      </Stack>
    </Paper>
  );
}

/** Options that would help more than those at hand. */
function Proposed({ inspection, onTake }: { inspection: Inspection; onTake: (changes: Partial<Options>) => void }) {
  const { map, rename, event, fix, format, accepted, note } = inspection.proposal!;
  const parts = [format && `read it as ${format}`, ...Object.entries(map).map(([field, column]) => `${column} is ${field}`), ...Object.entries(rename).map(([before, after]) => `${before} becomes ${after}`), event && `event name ${event} for all records`, fix.length > 0 && `repair ${fix.join(", ")}`].filter(Boolean);
  return (
    <Group justify="space-between" className="proposal">
      <Text size="sm" className="wrap">Suggested options, with which {number(accepted)} of them would be accepted: {visible(parts.join("; "))}. {visible(note)}</Text>
      <Button size="compact-sm" onClick={() => onTake({ map, rename, fix, ...(event ? { event } : {}), ...(format ? { format } : {}) })}>Apply</Button>
    </Group>
  );
}

/** What a check of the whole file has found. */
function Tried({ id, isStale }: { id: string; isStale: boolean }) {
  const job = useLive(({ imports }) => imports.find((one) => one.id === id));
  if (!job) return null;
  const isOver = job.status === "finished" || job.status === "stopped" || job.status === "failed" || job.status === "cancelled";
  return (
    <section aria-label="The check" className="proposal">
      <Title order={3} size="h5">{isOver ? "Check complete" : "Checking …"}{isStale && " (before the last changes)"}</Title>
      <Counts job={job} />
      {job.report?.reasons && <Reasons reasons={job.report.reasons} whole={job.report.read} title="Would be rejected, by reason" />}
      {isOver && job.report?.rejected === 0 && job.problem === undefined && <Text size="sm">No records would be rejected.</Text>}
      {job.problem && <Text size="sm" className="wrap problem">{visible(job.problem)}</Text>}
    </section>
  );
}
