import { Anchor, Button, Code, Group, Paper, Stack, Table, Text, Textarea } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { type FormEvent, type KeyboardEvent, useMemo, useState } from "react";
import { invoke } from "../api.ts";
import { useAsked } from "../asked.ts";
import { useSession } from "../context.ts";
import { number } from "../data/numbers.ts";
import { get, items, type Json, shown } from "../json.ts";
import { Names } from "../Names.tsx";
import { Empty, Loading, PageTitle, ProblemAlert } from "../parts.tsx";
import { type Column, RecordTable } from "../RecordTable.tsx";
import { addressOf, setState, useRoute } from "../route.ts";
import { visible } from "../text.ts";
import { Tree } from "../Tree.tsx";
import { Person } from "./Person.tsx";

interface Page {
  results: Json[];
  page: number;
  pageSize: number;
  total: number;
  session: string;
  where: string;
}

const examples: [expression: string, meaning: string][] = [
  ['properties["plan"] == "pro"', "property equals a value"],
  ['properties["age"] >= 18 and properties["country"] in ["DE", "AT", "CH"]', "comparison, and one of several values"],
  ['defined(properties["$email"])', "property is set"],
  ['"example" in properties["$email"]', "text contains"],
  ['properties["$last_seen"] > datetime("2026-01-01T00:00:00")', "seen after a time"],
  ['not (properties["plan"] == "free")', "negation"],
];

/** Profiles, found by an expression; and one person, with what they did. */
export function Profiles() {
  const { state } = useRoute();
  const person = state.get("person");
  return person === null ? <Found /> : <Person key={person} id={person} />;
}

function Found() {
  const { server } = useSession();
  const isEmbedded = server.mixpanel === "embedded";
  const { state } = useRoute();
  const where = state.get("where") ?? "";
  const properties = state.getAll("property");
  const [text, setText] = useState(where);
  const [session, setSession] = useState<{ of: string; id: string; page: number }>();
  const [isPressed, setPressed] = useState(isEmbedded);
  const question = JSON.stringify([where, properties]);
  const turned = session?.of === question ? session : undefined;
  const asked = useAsked(isPressed ? JSON.stringify([question, turned?.page ?? 0]) : null, async (): Promise<Page> => {
    const input: Record<string, unknown> = {};
    if (where !== "") input["where"] = where;
    if (properties.length > 0) input["output_properties"] = properties;
    if (turned) Object.assign(input, { page: turned.page, session_id: turned.id });
    const answer = await invoke("query_user_profiles", JSON.stringify(input));
    return {
      results: items(get(answer, "results")),
      page: Number(shown(get(answer, "page"))),
      pageSize: Number(shown(get(answer, "page_size")) || "1000"),
      total: Number(shown(get(answer, "total")) || "0"),
      session: shown(get(answer, "session_id")),
      where,
    };
  });
  const { value: page, problem } = asked;
  const isWrongExpression = problem !== undefined && where !== "" && (problem.field === "where" || problem.kind === "refused" || problem.kind === "invalid_input");
  const records = useMemo(() => (page?.results ?? []).map((profile, index) => ({ id: `${page!.page}-${index}`, profile })), [page]);
  const columns = useMemo(() => columnsOf(page?.results ?? [], properties), [page, question]);

  function search() {
    setState({ where: text.trim() });
    setSession(undefined);
    if (isPressed && text.trim() === where) asked.ask();
    setPressed(true);
  }

  function submit(event: FormEvent) {
    event.preventDefault();
    search();
  }

  function onKey(event: KeyboardEvent) {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) search();
  }

  const turn = (to: number) => setSession({ of: question, id: page!.session, page: to });
  return (
    <Stack>
      <PageTitle about={isEmbedded ? "Search user profiles with an expression in Mixpanel's segmentation language." : "Search user profiles with an expression in Mixpanel's segmentation language. Each search is one of the 60 queries that Mixpanel allows per hour."}>Profiles</PageTitle>
      <Paper withBorder p="md">
        <form onSubmit={submit}>
          <Stack>
            <div>
              <Textarea label="Expression" description="Leave empty to find all. Press Ctrl+Enter to search." value={text} onChange={(change) => setText(change.currentTarget.value)} onKeyDown={onKey} autosize minRows={2} maxRows={10} spellCheck={false} classNames={{ input: "mono" }} placeholder='properties["plan"] == "pro"' error={isWrongExpression ? visible(problem.message) : undefined} />
              {isWrongExpression && <Caret text={where} message={problem.message} />}
            </div>
            {isEmbedded && <Names label="Properties to show" description="Leave empty for the most common ones." value={properties} onChange={(property) => setState({ property })} placeholder="Type a name, then press Enter" proposals={columns.map(({ key }) => key)} />}
            <Group justify="space-between">
              <Button type="submit" loading={asked.isBusy} leftSection={<IconSearch size={16} />}>Search</Button>
              {page && !problem && <Text size="sm" role="status">{number(page.total)} {page.total === 1 ? "profile" : "profiles"}</Text>}
            </Group>
          </Stack>
        </form>
        <details className="help">
          <summary>Expression examples</summary>
          <Table>
            <Table.Tbody>
              {examples.map(([expression, meaning]) => (
                <Table.Tr key={expression}>
                  <Table.Td><Anchor component="button" type="button" ta="left" onClick={() => setText(expression)}><Code>{expression}</Code></Anchor></Table.Td>
                  <Table.Td>{meaning}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </details>
      </Paper>
      {!isWrongExpression && <ProblemAlert problem={problem} />}
      {!page && asked.isBusy && <Paper withBorder p="md"><Loading height={300} /></Paper>}
      {page && !problem && (
        <>
          <RecordTable
            key={`${page.session}-${page.page}`}
            label="Profiles"
            records={records}
            columns={columns}
            detail={({ profile }) => (
              <Stack gap="sm">
                <Anchor href={addressOf("profiles", { person: shown(get(profile, "$distinct_id")) })}>Events of {visible(shown(get(profile, "$distinct_id")))}</Anchor>
                <Tree label="profile" json={profile} />
              </Stack>
            )}
            empty={<Empty title="No matching profiles">{page.where === "" ? <>There are none yet. Create them with any Mixpanel library or with <code>mixpanel import --type profiles</code>.</> : "Change the expression and search again."}</Empty>}
          />
          {page.total > page.pageSize && (
            <Group justify="center">
              <Button variant="default" disabled={page.page === 0 || asked.isBusy} onClick={() => turn(page.page - 1)}>Previous</Button>
              <Text size="sm">Page {number(page.page + 1)} of {number(Math.ceil(page.total / page.pageSize))}</Text>
              <Button variant="default" disabled={(page.page + 1) * page.pageSize >= page.total || asked.isBusy} onClick={() => turn(page.page + 1)}>Next</Button>
            </Group>
          )}
        </>
      )}
    </Stack>
  );
}

/** Where in the expression the fault is, as far as the message tells. */
function Caret({ text, message }: { text: string; message: string }) {
  const found = /(?:position|offset|column|character) (\d+)/i.exec(message);
  if (!found || text === "") return null;
  const at = Math.min(Math.max(Number(found[1]) - 1, 0), text.length);
  return <pre className="caret" aria-hidden="true">{visible(text.slice(0, at))}<mark>{visible(text.slice(at, at + 1)) || " "}</mark>{visible(text.slice(at + 1))}</pre>;
}

interface Found {
  id: string;
  profile: Json;
}

const usualColumns = 5;
const mostColumns = 50;

/** What was asked for; else what the profiles have, of which the most common are shown. */
function columnsOf(profiles: Json[], asked: string[]): Column<Found>[] {
  const counts = new Map<string, number>();
  for (const profile of profiles) {
    const properties = get(profile, "$properties");
    if (properties?.kind === "object") for (const [name] of properties.entries) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const names = asked.length > 0 ? asked : [...counts].sort((one, other) => other[1] - one[1]).slice(0, mostColumns).map(([name]) => name);
  const value = (profile: Json, name: string) => get(get(profile, "$properties"), name);
  return [
    { key: "$distinct_id", title: "User", width: 150, cell: ({ profile }) => <b>{visible(shown(get(profile, "$distinct_id")))}</b>, sort: ({ profile }) => shown(get(profile, "$distinct_id")) },
    ...names.map((name, index): Column<Found> => ({
      key: name,
      title: visible(name),
      width: 170,
      isExtra: asked.length === 0 && index >= usualColumns,
      cell: ({ profile }) => visible(shown(value(profile, name)).slice(0, 200)),
      sort: ({ profile }) => {
        const json = value(profile, name);
        return json?.kind === "literal" && !Number.isNaN(Number(json.text)) ? Number(json.text) : shown(json);
      },
    })),
  ];
}
