import { Button, Group, Tabs } from "@mantine/core";
import { IconDownload, IconPlayerPlay, IconRefresh } from "@tabler/icons-react";
import { useState } from "react";
import { key } from "../../api.ts";
import { type Asked, useActions } from "../../asked.ts";
import { callsOf } from "../../calls.ts";
import type { Call } from "../../data/reports.ts";
import { from } from "../../json.ts";
import { CodeBlock, Loading, ProblemAlert } from "../../parts.tsx";
import { save } from "../../text.ts";

/** Asks where it costs nothing; on a real account, when the button is pressed. Gives the question that is to be answered now. */
export function usePressed(question: string, isEmbedded: boolean): { asking: string | null; press: (asked: Asked<unknown>) => void } {
  const [pressed, setPressed] = useState<string | null>(null);
  return {
    asking: isEmbedded ? question : pressed,
    press: (asked) => (isEmbedded || pressed === question ? asked.ask() : setPressed(question)),
  };
}

/** The buttons above an answer: ask, save as CSV, show the command. */
export function Tools({ isEmbedded, isBusy, queries, onAsk, csv, calls }: { isEmbedded: boolean; isBusy: boolean; queries: number; onAsk: () => void; csv: (() => string) | undefined; calls: Call[] }) {
  const [isShown, setShown] = useState(false);
  return (
    <>
      <Group gap="xs">
        <Button variant="default" loading={isBusy} disabled={queries === 0} leftSection={isEmbedded ? <IconRefresh size={16} /> : <IconPlayerPlay size={16} />} onClick={onAsk}>{isEmbedded ? "Refresh" : `Run (${queries} ${queries === 1 ? "query" : "queries"})`}</Button>
        <Button variant="default" disabled={!csv} leftSection={<IconDownload size={16} />} onClick={() => csv && save("report.csv", csv(), "text/csv")}>CSV</Button>
        <Button variant="default" disabled={calls.length === 0} aria-expanded={isShown} onClick={() => setShown(!isShown)}>Show the command</Button>
      </Group>
      {isShown && calls.length > 0 && <Commands calls={calls} />}
    </>
  );
}

/** What one sees, as commands and requests. */
function Commands({ calls }: { calls: Call[] }) {
  const { value: actions, problem } = useActions();
  if (problem) return <ProblemAlert problem={problem} />;
  if (!actions) return <Loading height={80} />;
  const texts = calls.flatMap(({ action, input }) => {
    const found = actions.find(({ name }) => name === action);
    return found ? [callsOf(found, from(input), location.origin, key.get() !== "")] : [];
  });
  return (
    <Tabs defaultValue="cli" keepMounted={false} mt="sm">
      <Tabs.List aria-label="Equivalent calls">
        <Tabs.Tab value="cli">Command line</Tabs.Tab>
        <Tabs.Tab value="curl">HTTP</Tabs.Tab>
      </Tabs.List>
      <Tabs.Panel value="cli" pt="xs"><CodeBlock label="command" code={texts.map(({ cli }) => cli).join("\n")} /></Tabs.Panel>
      <Tabs.Panel value="curl" pt="xs"><CodeBlock label="request" code={texts.map(({ curl }) => curl).join("\n")} /></Tabs.Panel>
    </Tabs>
  );
}

