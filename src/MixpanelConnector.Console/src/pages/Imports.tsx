import { Badge, Button, FileButton, Group, NativeSelect, Paper, Progress, Stack, Switch, Table, Text, TextInput, Title } from "@mantine/core";
import { IconDownload, IconFileImport, IconPlayerPlay, IconPlayerStop, IconTrash } from "@tabler/icons-react";
import { type DragEvent, useRef, useState } from "react";
import { headers, Problem, request } from "../api.ts";
import { Chart } from "../Chart.tsx";
import { useSession } from "../context.ts";
import { get, type Json, parse, shown } from "../json.ts";
import { type ImportJob, lines, useLive } from "../live.ts";
import { asProblem, bytes, Empty, Facts, number, PageTitle, ProblemAlert, time, visible } from "../parts.tsx";

const colours = { queued: "gray", running: "blue", finished: "teal", stopped: "red", cancelled: "orange", failed: "red" };
const contentTypes: [ending: RegExp, type: string][] = [
  [/\.(ndjson|jsonl)$/i, "application/x-ndjson"],
  [/\.json$/i, "application/json"],
  [/\.csv$/i, "text/csv"],
  [/\.tsv$/i, "text/tab-separated-values"],
  [/\.parquet$/i, "application/vnd.apache.parquet"],
];
const mostDeadLetters = 200;

/** Imports of this server: a file becomes a job, which goes on whatever happens to this page or to the server. */
export function Imports() {
  const { imports, paces } = useLive();
  const { mayChange } = useSession();
  return (
    <Stack>
      <PageTitle about="A file becomes a job that goes on whatever happens: to this page, to the network, to the server.">Imports</PageTitle>
      <NewImport mayChange={mayChange} />
      {imports.length === 0 && <Paper withBorder p="xl"><Empty title="No imports yet">Choose a file above, or send one: <code>curl {location.origin}/v1/imports -H 'Content-Type: application/x-ndjson' --data-binary @events.ndjson</code>. What <code>mixpanel import</code> does in a terminal, it shows there.</Empty></Paper>}
      {imports.map((job) => <Job key={job.id} job={job} pace={paces.get(job.id) ?? []} mayChange={mayChange} />)}
    </Stack>
  );
}

function NewImport({ mayChange }: { mayChange: boolean }) {
  const [type, setType] = useState("events");
  const [strict, setStrict] = useState(true);
  const [dryRun, setDryRun] = useState(false);
  const [groupKey, setGroupKey] = useState("");
  const [tableId, setTableId] = useState("");
  const [sent, setSent] = useState<{ name: string; share: number }>();
  const [problem, setProblem] = useState<Problem>();
  const [isOver, setOver] = useState(false);
  const reset = useRef<() => void>(null);

  async function start(file: File | null | undefined) {
    if (!file || !mayChange || sent) return;
    const query = new URLSearchParams({ type, strict: strict ? "1" : "0", dry_run: String(dryRun) });
    if (type === "groups") query.set("group_key", groupKey);
    if (type === "lookup-table") query.set("table_id", tableId);
    setProblem(undefined);
    setSent({ name: file.name, share: 0 });
    try {
      await upload(file, `/v1/imports?${query}`, (share) => setSent({ name: file.name, share }));
    } catch (error) {
      setProblem(asProblem(error));
    } finally {
      setSent(undefined);
      reset.current?.(); // else the same file, chosen again, would be no change
    }
  }

  function drop(event: DragEvent) {
    event.preventDefault();
    setOver(false);
    void start(event.dataTransfer.files[0]);
  }

  return (
    <Paper withBorder p="md" className={isOver ? "over" : undefined} onDragOver={(event: DragEvent) => { event.preventDefault(); setOver(true); }} onDragLeave={() => setOver(false)} onDrop={drop}>
      <Group align="end">
        <NativeSelect label="What the records are" value={type} onChange={(change) => setType(change.currentTarget.value)} data={["events", "profiles", "groups", "lookup-table"]} />
        {type === "groups" && <TextInput label="Group key" placeholder="company" value={groupKey} onChange={(change) => setGroupKey(change.currentTarget.value)} />}
        {type === "lookup-table" && <TextInput label="Lookup table's id" value={tableId} onChange={(change) => setTableId(change.currentTarget.value)} />}
        <Switch label="Mixpanel validates each record" checked={strict} onChange={(change) => setStrict(change.currentTarget.checked)} />
        <Switch label="Only try: send nothing" checked={dryRun} onChange={(change) => setDryRun(change.currentTarget.checked)} />
        <FileButton resetRef={reset} onChange={(file) => void start(file)} disabled={!mayChange || sent !== undefined} inputProps={{ "aria-label": "File to import" }}>
          {(props) => <Button {...props} leftSection={<IconFileImport size={16} />} disabled={!mayChange} loading={sent !== undefined}>Choose a file</Button>}
        </FileButton>
      </Group>
      <Text size="sm" c="dimmed" mt="xs">{mayChange ? "Or drop one here. NDJSON, JSON, CSV, TSV or Parquet, also with gzip or zstd, of any size." : "This changes data. Switch on “Allow changes” at the top of the page first."}</Text>
      {sent && (
        <div role="status">
          <Text size="sm" mt="xs">Sending {visible(sent.name)}</Text>
          <Progress value={sent.share * 100} aria-label="Sent" />
        </div>
      )}
      {problem && <div className="spaced"><ProblemAlert problem={problem} /></div>}
    </Paper>
  );
}

/** XMLHttpRequest, for fetch does not say how much of a body has gone. */
function upload(file: File, path: string, progress: (share: number) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const call = new XMLHttpRequest();
    call.open("POST", path);
    for (const [name, value] of Object.entries(headers())) call.setRequestHeader(name, value);
    call.setRequestHeader("Content-Type", contentTypes.find(([ending]) => ending.test(file.name))?.[1] ?? "application/octet-stream");
    call.upload.onprogress = (event) => progress(event.lengthComputable ? event.loaded / event.total : 0);
    call.onerror = () => reject(new Problem(0, "unreachable", "The file did not arrive", "The connection broke, and nothing of the file is imported. Try again.", undefined));
    call.onload = () => {
      if (call.status < 300) {
        resolve();
        return;
      }
      try {
        const json = parse(call.responseText);
        reject(new Problem(call.status, shown(get(json, "kind")), shown(get(json, "title")), shown(get(json, "detail")), shown(get(json, "field")) || undefined));
      } catch {
        reject(new Problem(call.status, "unknown", `The server answered ${call.status}`, call.responseText.slice(0, 300), undefined));
      }
    };
    call.send(file);
  });
}

function Job({ job, pace, mayChange }: { job: ImportJob; pace: [number, number][]; mayChange: boolean }) {
  const [problem, setProblem] = useState<Problem>();
  const [letters, setLetters] = useState<Json[]>();
  const [isBusy, setBusy] = useState(false);
  const [isSure, setSure] = useState(false);
  const runs = job.status === "queued" || job.status === "running";
  const counts = job.progress ?? job.report;
  const share = job.status === "finished" ? 100 : job.progress ? Math.min(100, (100 * job.progress.input_bytes) / Math.max(1, job.bytes)) : 0;

  async function act(work: () => Promise<unknown>) {
    setProblem(undefined);
    setBusy(true);
    try {
      await work();
    } catch (error) {
      setProblem(asProblem(error));
    } finally {
      setBusy(false);
    }
  }

  const deadLetters = () => request("GET", `/v1/imports/${job.id}/dead-letters`);

  async function download() {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(await (await deadLetters()).blob());
    link.download = `dead-letters-${job.id}.ndjson`;
    link.click();
    URL.revokeObjectURL(link.href);
  }

  return (
    <Paper withBorder p="md" component="section" aria-label={`Import ${job.id}`}>
      <Group justify="space-between" mb="xs">
        <Group gap="sm">
          <Badge color={colours[job.status]} variant="light">{job.status}</Badge>
          <Title order={2} size="h5" className="wrap">{visible(job.source_id)}</Title>
          <Text size="sm" c="dimmed">{job.type} · {bytes(job.bytes)} · {time(job.created)}</Text>
        </Group>
        <Group gap="xs">
          {runs && <Button size="compact-sm" variant="default" color="red" disabled={!mayChange || isBusy} leftSection={<IconPlayerStop size={14} />} onClick={() => void act(() => request("POST", `/v1/imports/${job.id}/cancel`, "{}"))}>Cancel</Button>}
          {(job.status === "stopped" || job.status === "cancelled" || job.status === "failed") && <Button size="compact-sm" disabled={!mayChange || isBusy} leftSection={<IconPlayerPlay size={14} />} onClick={() => void act(() => request("POST", `/v1/imports/${job.id}/resume`, "{}"))}>Resume</Button>}
          {!runs && <Button size="compact-sm" variant="default" disabled={!mayChange || isBusy} leftSection={<IconTrash size={14} />} onClick={() => (isSure ? void act(() => request("DELETE", `/v1/imports/${job.id}`)) : setSure(true))} onBlur={() => setSure(false)}>{isSure ? "Remove it for good" : "Remove"}</Button>}
        </Group>
      </Group>
      {runs && <Progress value={share} animated={job.status === "running"} aria-label="Progress" mb="sm" />}
      {counts && (
        <Facts
          facts={[
            ["read", number(counts.read)],
            ["accepted", number(counts.accepted)],
            ["rejected", <span key="rejected" className={counts.rejected > 0 ? "warning" : undefined}>{number(counts.rejected)}</span>],
            ["requests", number(counts.requests)],
            ["retries", number(counts.retries)],
            ...(job.report ? ([["pending", number(job.report.pending)], ["seconds", job.report.elapsed_seconds.toFixed(1)], ["records a second", number(Math.round(job.report.read / Math.max(0.001, job.report.elapsed_seconds)))]] as [string, string][]) : []),
          ]}
        />
      )}
      {job.progress?.waiting && <Text size="sm" c="dimmed">Waiting for Mixpanel to take more.</Text>}
      {pace.length > 2 && <Throughput pace={pace} />}
      {job.problem && <Text size="sm" className="wrap problem">{visible(job.problem)}</Text>}
      <ProblemAlert problem={problem} />
      {!runs && counts !== undefined && counts.rejected > 0 && job.report?.dead_letter && (
        <Group mt="sm">
          <Button size="compact-sm" variant="default" onClick={() => void act(async () => setLetters(await first(await deadLetters())))}>Show what was rejected</Button>
          <Button size="compact-sm" variant="default" leftSection={<IconDownload size={14} />} onClick={() => void act(download)}>Download the dead letters</Button>
        </Group>
      )}
      {letters && (
        <div className="scroll spaced" tabIndex={0} role="region" aria-label="Rejected records">
          <Table striped>
            <Table.Thead><Table.Tr><Table.Th scope="col">Line</Table.Th><Table.Th scope="col">Field</Table.Th><Table.Th scope="col">Reason</Table.Th><Table.Th scope="col">Record</Table.Th></Table.Tr></Table.Thead>
            <Table.Tbody>
              {letters.map((letter, index) => (
                <Table.Tr key={index}>
                  <Table.Td>{shown(get(letter, "line"))}</Table.Td>
                  <Table.Td><code>{visible(shown(get(letter, "field")))}</code></Table.Td>
                  <Table.Td>{visible(shown(get(letter, "message")))}</Table.Td>
                  <Table.Td className="faint">{visible(shown(get(letter, "raw")).slice(0, 300))}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
          {letters.length === mostDeadLetters && <Text size="sm" c="dimmed" p="xs">The first {mostDeadLetters}: download the file for all of them.</Text>}
        </div>
      )}
    </Paper>
  );
}

/** The first of the dead letters, of which there may be many. */
async function first(response: Response): Promise<Json[]> {
  const letters: Json[] = [];
  for await (const line of lines(response.body!)) {
    if (line !== "") letters.push(parse(line));
    if (letters.length === mostDeadLetters) break;
  }
  return letters;
}

/** Records a second, between one look and the next. */
function Throughput({ pace }: { pace: [number, number][] }) {
  const steps = pace.slice(1).map(([at, read], index) => [at, (1000 * (read - pace[index]![1])) / Math.max(1, at - pace[index]![0])] as const);
  return <Chart label="Throughput" summary="latest" height={120} seconds={steps.map(([at]) => at / 1000)} series={[{ label: "records a second", values: steps.map(([, rate]) => Math.max(0, Math.round(rate))) }]} />;
}
