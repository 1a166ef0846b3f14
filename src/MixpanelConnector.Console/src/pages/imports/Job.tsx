import { Badge, Button, Group, Paper, Progress, Text, Title } from "@mantine/core";
import { IconDownload, IconPlayerPlay, IconPlayerStop, IconTrash } from "@tabler/icons-react";
import { useMemo, useState } from "react";
import { type Problem, request } from "../../api.ts";
import { Bars } from "../../Bars.tsx";
import { Chart } from "../../Chart.tsx";
import { time, timeOf } from "../../data/dates.ts";
import { bytes, duration, number } from "../../data/numbers.ts";
import { rates, remaining, type Sample } from "../../data/rate.ts";
import { type ImportJob, type Reason, useLive } from "../../live.ts";
import { asProblem, Facts, ProblemAlert } from "../../parts.tsx";
import { save, visible } from "../../text.ts";
import { DeadLetters } from "./DeadLetters.tsx";

/** How an import stands, in a word and a colour. Only what was taken whole is green. */
export function standing({ status, report, dry_run }: ImportJob): [word: string, colour: string] {
  if (status !== "finished" || !report) return [status, { queued: "gray", running: "blue", finished: "teal", stopped: "red", cancelled: "orange", failed: "red" }[status]];
  const done = dry_run ? "checked" : "finished";
  if (report.rejected === 0) return [done, "teal"];
  if (report.accepted === 0) return [dry_run ? "checked, all would be rejected" : "all rejected", "red"];
  return [`${done}, ${number(report.rejected)} ${dry_run ? "would be rejected" : "rejected"}`, "orange"];
}

export function Job({ job, mayChange }: { job: ImportJob; mayChange: boolean }) {
  const zone = useLive(({ zone }) => zone);
  const pace = useLive(({ paces }) => paces.get(job.id));
  const [problem, setProblem] = useState<Problem>();
  const [isBusy, setBusy] = useState(false);
  const [isSure, setSure] = useState(false);
  const [isOpen, setOpen] = useState(false);
  const runs = job.status === "queued" || job.status === "running";
  const share = job.progress ? Math.min(100, (100 * job.progress.input_bytes) / Math.max(1, job.bytes)) : 0;
  const hasLetters = !runs && (job.report?.rejected ?? 0) > 0 && job.report?.dead_letter;
  const [word, colour] = standing(job);

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

  const download = async () => save(`dead-letters-${job.id}.ndjson`, await (await request("GET", `/v1/imports/${job.id}/dead-letters`)).blob());
  return (
    <Paper withBorder p="md" component="section" aria-label={`Import ${visible(job.name)}`}>
      <Group justify="space-between" mb="xs">
        <Group gap="sm">
          <Badge color={colour} variant="light" tt="none">{word}</Badge>
          <Title order={2} size="h5" className="wrap">{visible(job.name)}</Title>
          <Text size="sm" c="dimmed">{job.type} · {bytes(job.bytes)} · {time(job.created, zone)}</Text>
        </Group>
        <Group gap="xs">
          {runs && <Button size="compact-sm" variant="default" disabled={!mayChange || isBusy} leftSection={<IconPlayerStop size={14} />} onClick={() => void act(() => request("POST", `/v1/imports/${job.id}/cancel`, "{}"))}>Cancel</Button>}
          {(job.status === "stopped" || job.status === "cancelled" || job.status === "failed") && <Button size="compact-sm" disabled={!mayChange || isBusy} leftSection={<IconPlayerPlay size={14} />} onClick={() => void act(() => request("POST", `/v1/imports/${job.id}/resume`, "{}"))}>Resume</Button>}
          {!runs && <Button size="compact-sm" variant="default" disabled={!mayChange || isBusy} leftSection={<IconTrash size={14} />} onClick={() => (isSure ? void act(() => request("DELETE", `/v1/imports/${job.id}`)) : setSure(true))} onBlur={() => setSure(false)}>{isSure ? "Remove permanently" : "Remove"}</Button>}
        </Group>
      </Group>
      {runs && <Progress value={share} animated={job.status === "running"} aria-label="Progress" mb="sm" />}
      <Counts job={job} />
      {runs && <Pace job={job} pace={pace ?? []} />}
      {job.problem && !(job.status === "finished" && hasLetters) && <Text size="sm" className="wrap problem">{visible(job.problem)}</Text>}
      {job.report?.reasons && !isOpen && <Reasons reasons={job.report.reasons} whole={job.report.rejected} title={job.dry_run ? "Would be rejected, by reason" : "Rejected, by reason"} />}
      <ProblemAlert problem={problem} />
      {hasLetters && (
        <Group mt="sm">
          <Button size="compact-sm" variant="default" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>{isOpen ? "Hide rejected records" : "Show rejected records"}</Button>
          <Button size="compact-sm" variant="default" leftSection={<IconDownload size={14} />} onClick={() => void act(download)}>Download dead letters</Button>
        </Group>
      )}
      {hasLetters && isOpen && <DeadLetters job={job} mayChange={mayChange} />}
    </Paper>
  );
}

export function Counts({ job }: { job: ImportJob }) {
  const counts = job.progress ?? job.report;
  if (!counts) return null;
  const { report, dry_run } = job;
  return (
    <Facts
      facts={[
        ["read", number(counts.read)],
        [dry_run ? "would be accepted" : "accepted", number(counts.accepted)],
        [dry_run ? "would be rejected" : "rejected", <span key="rejected" className={counts.rejected > 0 ? "warning" : undefined}>{number(counts.rejected)}</span>],
        ...(dry_run ? [] : ([["requests", number(counts.requests)], ["retries", number(counts.retries)]] as [string, string][])),
        ...(report && !job.progress ? ([["pending", number(report.pending)], ["blank lines", number(report.blank)], ["time", `${report.elapsed_seconds.toFixed(1)} s`], ["records per second", number(Math.round(report.read / Math.max(0.001, report.elapsed_seconds)))]] as [string, string][]) : []),
      ]}
    />
  );
}

/** How fast it is, and how long it will take by that. */
function Pace({ job, pace }: { job: ImportJob; pace: Sample[] }) {
  const found = useMemo(() => rates(pace), [pace]);
  const now = found.at(-1);
  const data = useMemo(() => ({ labels: found.map(([at]) => timeOf(at)), series: [{ label: "records per second", values: found.map(([, rate]) => rate) }] }), [found]);
  // What is read is told in records, and what there is in bytes: records are taken to be of one size.
  const { read = 0, input_bytes = 0 } = job.progress ?? {};
  const left = input_bytes > 0 ? remaining(pace, (read * job.bytes) / input_bytes) : undefined;
  if (job.progress?.waiting) return <Text size="sm" c="dimmed">Throttled: waiting for Mixpanel to accept more.</Text>;
  if (!now) return null;
  return (
    <>
      <Text size="sm" c="dimmed" mt="xs">{number(Math.round(now[1]))} records per second{left !== undefined && `, about ${duration(left)} left`}.</Text>
      {found.length > 4 && <Chart label="Records per second since the start" height={120} data={data} />}
    </>
  );
}

export function Reasons({ reasons, whole, title }: { reasons: Reason[]; whole: number; title: string }) {
  return (
    <div className="spaced">
      <Bars title={title} column="Reason" count="Records" whole={whole} rows={reasons.map((one) => ({ name: `${one.samples[0]?.message ?? one.code} (${one.code}; line ${one.samples.map(({ place }) => place.replace(/^body:/, "")).join(", ")})`, count: one.count }))} />
    </div>
  );
}
