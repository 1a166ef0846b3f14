import { Badge, Group, Paper, Progress, Stack, Text, Title } from "@mantine/core";
import { useSession } from "../context.ts";
import { time } from "../data/dates.ts";
import { duration, number } from "../data/numbers.ts";
import { type TerminalImport, useLive } from "../live.ts";
import { Empty, Facts, Loading, PageTitle } from "../parts.tsx";
import { visible } from "../text.ts";
import { Job } from "./imports/Job.tsx";
import { NewImport } from "./imports/NewImport.tsx";

/** Imports of this server: a file becomes a job, which continues whatever happens to this page or to the server. */
export function Imports() {
  const imports = useLive(({ imports }) => imports);
  const terminal = useLive(({ terminal }) => terminal);
  const zone = useLive(({ zone }) => zone);
  const isKnown = useLive(({ hasImports }) => hasImports);
  const { mayChange } = useSession();
  return (
    <Stack>
      <PageTitle about={`Imports run on the server: they continue when you close this page, and resume after network failures and server restarts. Times are in ${zone}.`}>Imports</PageTitle>
      <NewImport mayChange={mayChange} />
      {terminal.filter(({ status }) => status === undefined).map((one, index) => <InTerminal key={index} one={one} />)}
      {imports.length === 0 && terminal.length === 0 && (isKnown ? <Paper withBorder p="xl"><Empty title="No imports yet">Choose a file above, or upload one: <code>curl {location.origin}/v1/imports -H 'Content-Type: application/x-ndjson' --data-binary @events.ndjson</code>. Imports started in a terminal with <code>mixpanel import</code> are shown here, too.</Empty></Paper> : <Paper withBorder p="md"><Loading /></Paper>)}
      {imports.map((job) => <Job key={job.id} job={job} mayChange={mayChange} />)}
      {terminal.filter(({ status }) => status !== undefined).map((one, index) => <InTerminal key={index} one={one} />)}
    </Stack>
  );
}

/** The status of an import of the command line as words and a colour. Green only if everything was accepted. */
function standing({ status, accepted, rejected }: TerminalImport): [words: string, colour: string] {
  switch (status) {
    case undefined: return ["running in a terminal", "blue"];
    case "stopped": return ["stopped in a terminal", "red"];
    case "interrupted": return ["interrupted in a terminal", "red"];
    case "finished": return rejected === 0 ? ["finished in a terminal", "teal"] : accepted === 0 ? ["all rejected in a terminal", "red"] : ["finished in a terminal", "orange"];
  }
}

/** An import from a terminal of this machine. While it runs, its progress is updated every few seconds. */
function InTerminal({ one }: { one: TerminalImport }) {
  const { name, status, last_saved, read, accepted, rejected, percent, seconds_left, elapsed_seconds } = one;
  const [words, colour] = standing(one);
  const zone = useLive(({ zone }) => zone);
  return (
    <Paper withBorder p="md" component="section" aria-label={`Command-line import ${visible(name)}`}>
      <Group gap="sm" mb="xs">
        <Badge color={colour} variant="light" tt="none">{words}</Badge>
        <Title order={2} size="h5" className="wrap">{visible(name)}</Title>
        <Text size="sm" c="dimmed">{status === undefined || status === "interrupted" ? "as of" : "ended"} {time(last_saved, zone)}</Text>
      </Group>
      {status === undefined && percent !== undefined && <Progress value={percent} animated aria-label="Progress" mb="sm" />}
      <Facts facts={[["read", number(read)], ["accepted", number(accepted)], ["rejected", <span key="rejected" className={rejected > 0 ? "warning" : undefined}>{number(rejected)}</span>], ...(status !== undefined || seconds_left === undefined ? [] : ([["time left, about", duration(seconds_left)]] as [string, string][])), ...(elapsed_seconds === undefined ? [] : ([["took", duration(elapsed_seconds)]] as [string, string][]))]} />
      {(status === "stopped" || status === "interrupted") && <Text size="sm" mt="xs">Run the same command again to continue.</Text>}
    </Paper>
  );
}
