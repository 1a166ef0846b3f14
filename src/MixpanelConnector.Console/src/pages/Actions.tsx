import { Anchor, Badge, Group, NavLink, Paper, Stack, Tabs, Text, Title } from "@mantine/core";
import { useMemo, useState } from "react";
import { ActionForm } from "../ActionForm.tsx";
import { type Action, key } from "../api.ts";
import { callsOf } from "../calls.ts";
import { useSession } from "../context.ts";
import { fieldsOf, inputOf } from "../fields.ts";
import { from, type Json } from "../json.ts";
import { CodeBlock, JsonView, PageTitle } from "../parts.tsx";

const effects: Record<string, { label: string; colour: string }> = {
  read: { label: "changes nothing", colour: "teal" },
  create: { label: "makes something new", colour: "orange" },
  update: { label: "changes data", colour: "blue" },
  delete: { label: "removes for good", colour: "red" },
};

/** Every action: its form, and the same call at each of the other doors. */
export function Actions({ name }: { name: string | undefined }) {
  const { actions } = useSession();
  const action = actions.find((one) => one.name === name) ?? actions[0]!;
  const groups = [...new Set(actions.map(({ group }) => group))];
  return (
    <Stack>
      <PageTitle about="Everything that this server can do, as it does it over HTTP, on the command line, in .NET and for agents.">Actions</PageTitle>
      <div className="actions">
        <nav aria-label="Actions">
          {groups.map((group) => (
            <div key={group}>
              <Text size="xs" c="dimmed" tt="uppercase" fw={700} px="sm" mt="sm">{group}</Text>
              {actions.filter((one) => one.group === group).map((one) => <NavLink key={one.name} href={`#/actions/${one.name}`} label={one.title} active={one === action} aria-current={one === action ? "page" : undefined} />)}
            </div>
          ))}
        </nav>
        <ActionPage key={action.name} action={action} />
      </div>
    </Stack>
  );
}

function ActionPage({ action }: { action: Action }) {
  const { server } = useSession();
  const initial = useMemo(() => exampleOf(action, server.organization_id, server.mixpanel === "embedded"), [action]);
  const [input, setInput] = useState<Json>(() => inputOf(action.input_schema, fieldsOf(action.input_schema, initial)).input);
  const [output, setOutput] = useState<Json>();
  const calls = useMemo(() => callsOf(action, input, location.origin, key.get() !== ""), [action, input]);
  const effect = effects[action.effect] ?? { label: action.effect, colour: "gray" };
  return (
    <div className="action">
      <Paper withBorder p="md">
        <Group justify="space-between" mb={4}>
          <Title order={2} size="h3">{action.title}</Title>
          <Badge color={effect.colour} variant="light" tt="none">{effect.label}</Badge>
        </Group>
        <Text size="sm">{action.description}</Text>
        <Text size="sm" c="dimmed" mb="md"><Remarks text={action.remarks} /></Text>
        <ActionForm action={action} initial={initial} onInput={setInput} onDone={setOutput} />
      </Paper>
      <Stack>
        <Paper withBorder p="md">
          <Title order={3} size="h5" mb="xs">The same call elsewhere</Title>
          <Tabs defaultValue="curl" keepMounted={false}>
            <Tabs.List aria-label="The same call elsewhere">
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
          <Title order={3} size="h5" mb="xs">Answer</Title>
          {output ? <JsonView json={output} label="answer" /> : <Text size="sm" c="dimmed">Run the action to see its answer here.</Text>}
        </Paper>
      </Stack>
    </div>
  );
}

/** The documentation's example, for the organization and the time at hand. */
function exampleOf(action: Action, organization: number | null, isEmbedded: boolean): Json {
  const example = { ...((action.example ?? {}) as Record<string, unknown>) };
  if ("organization_id" in example && organization !== null) example["organization_id"] = organization;
  if (isEmbedded && action.name === "create_service_account") example["projects"] = [1];
  return from(example);
}

/** Addresses of Mixpanel's documentation become links; nothing else does. */
function Remarks({ text }: { text: string }) {
  const parts = (text ?? "").split(/(https:\/\/(?:developer|docs)\.mixpanel\.com\/[A-Za-z0-9/_-]+)/);
  return <>{parts.map((part, index) => (index % 2 === 1 ? <Anchor key={index} inherit underline="always" href={part} target="_blank" rel="noreferrer noopener">{part.replace("https://", "")}</Anchor> : part))}</>;
}
