import { Anchor, Badge, Group, Paper, Stack, Tabs, Text, TextInput, Title } from "@mantine/core";
import { type KeyboardEvent, memo, useEffect, useMemo, useRef, useState } from "react";
import { ActionForm } from "../ActionForm.tsx";
import { type Action, key } from "../api.ts";
import { useActions } from "../asked.ts";
import { callsOf } from "../calls.ts";
import { useSession } from "../context.ts";
import { exampleOf, type Known } from "../data/examples.ts";
import { dayOf } from "../data/dates.ts";
import { fieldsOf, inputOf } from "../fields.ts";
import { from, type Json } from "../json.ts";
import { type Live, useLive } from "../live.ts";
import { CodeBlock, JsonView, Loading, PageTitle, ProblemAlert } from "../parts.tsx";
import { useSearch } from "../search.ts";

const effects: Record<string, { label: string; short: string; colour: string }> = {
  read: { label: "read-only", short: "read", colour: "teal" },
  create: { label: "creates data", short: "create", colour: "orange" },
  update: { label: "updates data", short: "update", colour: "blue" },
  delete: { label: "deletes or replaces data permanently", short: "delete", colour: "red" },
};

/** Every action: its form, and the same call at each of the other doors. */
export function Actions({ name }: { name: string | undefined }) {
  const { value: actions, problem } = useActions();
  const { server } = useSession();
  const isKnown = useLive(({ hasProject, state }) => hasProject || state === "broken" || server.mixpanel === "real"); // what an example may name
  const action = actions?.find((one) => one.name === name);
  return (
    <Stack>
      <PageTitle about="Everything this server can do. Each action is also available over HTTP, on the command line, in .NET and to agents.">Actions</PageTitle>
      {problem ? <ProblemAlert problem={problem} /> : !actions || !isKnown ? <Loading height={480} /> : (
        <div className={name === undefined ? "actions" : "actions one"}>
          <ActionList actions={actions} current={action?.name} />
          {action ? <ActionPage key={action.name} action={action} /> : name === undefined ? <Paper withBorder p="xl" className="choose"><Text c="dimmed">Select an action. Press / to search.</Text></Paper>
            : <Paper withBorder p="xl"><Text>Action not found. <Anchor href="#/actions">See all actions</Anchor>.</Text></Paper>}
        </div>
      )}
    </Stack>
  );
}

/** The actions by group. The search goes through names, operationIds, groups and descriptions; Enter opens the first that is left. */
const ActionList = memo(function ActionList({ actions, current }: { actions: Action[]; current: string | undefined }) {
  const { text, setText, field, matches } = useSearch();
  const list = useRef<HTMLElement>(null);
  const shown = actions.filter((action) => matches(action.name, action.title, action.operation_id, action.group, action.description));
  const groups = [...new Set(actions.map(({ group }) => group))].sort().filter((group) => shown.some((one) => one.group === group));

  // The list scrolls by itself: the action that is looked at stays in sight, and the page stays where it is.
  useEffect(() => {
    const link = list.current?.querySelector<HTMLElement>("[aria-current=page]");
    if (link && list.current) list.current.scrollTop = link.offsetTop - list.current.clientHeight / 2;
  }, [current]);

  function onKey(event: KeyboardEvent) {
    if (event.key === "Escape") setText("");
    else if (event.key === "Enter" && text !== "" && shown[0]) location.hash = `#/actions/${shown.find((one) => one.group === groups[0])!.name}`;
  }

  return (
    <div className="action-list">
      <TextInput ref={field} type="search" label="Search" placeholder="Name, keywords or operationId" value={text} onChange={(change) => setText(change.currentTarget.value)} onKeyDown={onKey} />
      <Text size="xs" c="dimmed" role="status" my={6}>{text === "" ? `${actions.length} actions` : `${shown.length} of ${actions.length} actions`}</Text>
      <nav aria-label="Actions" ref={list}>
        {groups.map((group) => (
          <section key={group} aria-label={group}>
            <Text component="h2" size="sm" c="dimmed" fw={700} px={8} mt="xs" mb={2}>{group}</Text>
            {shown.filter((one) => one.group === group).map(({ name, title, effect }) => (
              <a key={name} href={`#/actions/${name}`} aria-current={name === current ? "page" : undefined}>
                <span>{title}</span>
                <Badge size="xs" variant="dot" tt="none" color={effects[effect]?.colour ?? "gray"}>{effects[effect]?.short ?? effect}</Badge>
              </a>
            ))}
          </section>
        ))}
        {shown.length === 0 && <Text size="sm" c="dimmed" p={8}>No matching actions.</Text>}
      </nav>
    </div>
  );
});

function ActionPage({ action }: { action: Action }) {
  const { server } = useSession();
  const live = useLive();
  const initial = useMemo(() => from(exampleOf(action, { organization: server.organization_id, ...knownOf(live) })), [action]);
  const [input, setInput] = useState<Json>(() => inputOf(action.input_schema, fieldsOf(action.input_schema, initial)).input);
  const [output, setOutput] = useState<Json>();
  const calls = useMemo(() => callsOf(action, input, location.origin, key.get() !== ""), [action, input]);
  const effect = effects[action.effect] ?? { label: action.effect, colour: "gray" };
  return (
    <div className="action">
      <Paper withBorder p="md">
        <Anchor href="#/actions" size="sm" className="back">All actions</Anchor>
        <Group justify="space-between" mb={4}>
          <Title order={2} size="h3">{action.title}</Title>
          <Badge color={effect.colour} variant="light" tt="none">{effect.label}</Badge>
        </Group>
        <Text size="xs" c="dimmed" className="mono wrap" mb={4}>{action.name} · {action.operation_id}</Text>
        <Text size="sm">{action.description}</Text>
        <Text size="sm" c="dimmed" mb="md"><Remarks text={action.remarks} /></Text>
        <ActionForm action={action} initial={initial} onInput={setInput} onDone={setOutput} />
      </Paper>
      <Stack>
        <Paper withBorder p="md">
          <Title order={3} size="h5" mb="xs">Equivalent calls</Title>
          <Tabs defaultValue="curl" keepMounted={false}>
            <Tabs.List aria-label="Equivalent calls">
              <Tabs.Tab value="curl">curl</Tabs.Tab>
              <Tabs.Tab value="csharp">C#</Tabs.Tab>
              <Tabs.Tab value="cli">Command line</Tabs.Tab>
              <Tabs.Tab value="mcp">MCP</Tabs.Tab>
            </Tabs.List>
            <Tabs.Panel value="curl" pt="xs"><CodeBlock label="curl command" code={calls.curl} /></Tabs.Panel>
            <Tabs.Panel value="csharp" pt="xs"><CodeBlock label="C# code" code={calls.csharp} /></Tabs.Panel>
            <Tabs.Panel value="cli" pt="xs"><CodeBlock label="command" code={calls.cli} /></Tabs.Panel>
            <Tabs.Panel value="mcp" pt="xs"><CodeBlock label="MCP request" code={calls.mcp} /></Tabs.Panel>
          </Tabs>
        </Paper>
        <Paper withBorder p="md" aria-live="polite">
          <Title order={3} size="h5" mb="xs">Response</Title>
          {output ? <JsonView json={output} label="response" /> : <Text size="sm" c="dimmed">Run the action to see the response.</Text>}
        </Paper>
      </Stack>
    </div>
  );
}

/** What the project has, as far as it has been seen. */
function knownOf({ names, events, first, last, zone }: Live): Omit<Known, "organization"> {
  const latest = events[0];
  return { events: names, event: latest, from: first && dayOf(Date.parse(first), zone), to: last && dayOf(Date.parse(last), zone) };
}

/** Addresses of Mixpanel's documentation become links; nothing else does. */
function Remarks({ text }: { text: string }) {
  const parts = (text ?? "").split(/(https:\/\/(?:developer|docs)\.mixpanel\.com\/[A-Za-z0-9/_-]+)/);
  return <>{parts.map((part, index) => (index % 2 === 1 ? <Anchor key={index} inherit underline="always" href={part} target="_blank" rel="noreferrer noopener">{part.replace("https://", "")}</Anchor> : part))}</>;
}
