import { Badge, Group, Paper, Progress, Stack, Text, Title } from "@mantine/core";
import { useSession } from "../context.ts";
import { time } from "../data/dates.ts";
import { duration, number } from "../data/numbers.ts";
import { type TerminalImport, useLive } from "../live.ts";
import { Empty, Facts, Loading, PageTitle } from "../parts.tsx";
import { visible } from "../text.ts";
import { Job } from "./imports/Job.tsx";
import { NewImport } from "./imports/NewImport.tsx";

/** Imports of this server: a file becomes a job, which goes on whatever happens to this page or to the server. */
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
      {terminal.map((one, index) => <InTerminal key={index} running={one} />)}
      {imports.length === 0 && terminal.length === 0 && (isKnown ? <Paper withBorder p="xl"><Empty title="No imports yet">Choose a file above, or upload one: <code>curl {location.origin}/v1/imports -H 'Content-Type: application/x-ndjson' --data-binary @events.ndjson</code>. Imports started in a terminal with <code>mixpanel import</code> are shown here while they run; <code>mixpanel import status</code> lists them afterwards.</Empty></Paper> : <Paper withBorder p="md"><Loading /></Paper>)}
      {imports.map((job) => <Job key={job.id} job={job} mayChange={mayChange} />)}
    </Stack>
  );
}

/** An import that somebody runs in a terminal of this machine: it is told every few seconds how far it is. */
function InTerminal({ running: { name, last_saved, read, accepted, rejected, percent, seconds_left } }: { running: TerminalImport }) {
  const zone = useLive(({ zone }) => zone);
  return (
    <Paper withBorder p="md" component="section" aria-label={`Import from the command line ${visible(name)}`}>
      <Group gap="sm" mb="xs">
        <Badge color="blue" variant="light" tt="none">running in a terminal</Badge>
        <Title order={2} size="h5" className="wrap">{visible(name)}</Title>
        <Text size="sm" c="dimmed">as of {time(last_saved, zone)}</Text>
      </Group>
      {percent !== undefined && <Progress value={percent} animated aria-label="Progress" mb="sm" />}
      <Facts facts={[["read", number(read)], ["accepted", number(accepted)], ["rejected", <span key="rejected" className={rejected > 0 ? "warning" : undefined}>{number(rejected)}</span>], ...(seconds_left === undefined ? [] : ([["time left, about", duration(seconds_left)]] as [string, string][]))]} />
    </Paper>
  );
}
