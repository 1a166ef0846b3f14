import { Accordion, Anchor, Button, Code, Group, Paper, Stack, Table, TagsInput, Text, Textarea } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { type FormEvent, type KeyboardEvent, useEffect, useMemo, useState } from "react";
import { invoke, type Problem } from "../api.ts";
import { useSession } from "../context.ts";
import { get, items, type Json, shown } from "../json.ts";
import { asProblem, Empty, JsonView, number, PageTitle, ProblemAlert, visible } from "../parts.tsx";
import { RecordList } from "../RecordList.tsx";

interface Page {
  results: Json[];
  page: number;
  pageSize: number;
  total: number;
  session: string;
  where: string;
  properties: string[];
}

const examples: [expression: string, meaning: string][] = [
  ['properties["plan"] == "pro"', "a property has a value"],
  ['properties["age"] >= 18 and properties["country"] in ["DE", "AT", "CH"]', "numbers compared, one of several values"],
  ['defined(properties["$email"])', "a property is there"],
  ['"example" in properties["$email"]', "a part of a text"],
  ['properties["$last_seen"] > datetime("2026-01-01T00:00:00")', "seen since a time"],
  ['not (properties["plan"] == "free")', "the contrary"],
];

/** Profiles, found by an expression. */
export function Profiles() {
  const { server } = useSession();
  const [where, setWhere] = useState("");
  const [properties, setProperties] = useState<string[]>([]);
  const [page, setPage] = useState<Page>();
  const [problem, setProblem] = useState<Problem>();
  const [isBusy, setBusy] = useState(false);

  async function ask(before?: Page, to = 0) {
    setBusy(true);
    setProblem(undefined);
    const asked = before ?? { where: where.trim(), properties };
    const input: Record<string, unknown> = {};
    if (asked.where !== "") input["where"] = asked.where;
    if (asked.properties.length > 0) input["output_properties"] = asked.properties.map((one) => columns.find((name) => visible(name) === one) ?? one);
    if (before) Object.assign(input, { page: to, session_id: before.session });
    try {
      const answer = await invoke("query_user_profiles", JSON.stringify(input));
      setPage({
        results: items(get(answer, "results")),
        page: Number(shown(get(answer, "page"))),
        pageSize: Number(shown(get(answer, "page_size")) || "1000"),
        total: Number(shown(get(answer, "total")) || "0"),
        session: shown(get(answer, "session_id")),
        where: asked.where,
        properties: asked.properties,
      });
    } catch (error) {
      setProblem(asProblem(error));
    } finally {
      setBusy(false);
    }
  }

  useEffect(() => {
    if (server.mixpanel === "embedded") void ask();
  }, []);

  const isWrongExpression = problem !== undefined && (problem.field === "where" || problem.kind === "refused" || problem.kind === "invalid_input");
  const records = useMemo(() => (page?.results ?? []).map((profile, index) => ({ id: `${page!.page}-${index}`, profile })), [page]);
  const columns = useMemo(() => columnsOf(page?.results ?? [], page?.properties ?? []), [page]);

  function submit(event: FormEvent) {
    event.preventDefault();
    void ask();
  }

  function onKey(event: KeyboardEvent) {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) void ask();
  }

  return (
    <Stack>
      <PageTitle about={server.mixpanel === "embedded" ? "User profiles, found by an expression of Mixpanel's own language." : "User profiles, found by an expression of Mixpanel's own language. Each search is one of the 60 queries that Mixpanel allows in an hour."}>Profiles</PageTitle>
      <Paper withBorder p="md">
        <form onSubmit={submit}>
          <Stack>
            <div>
              <Textarea label="Expression" description="Empty finds all. Ctrl+Enter searches." value={where} onChange={(change) => setWhere(change.currentTarget.value)} onKeyDown={onKey} autosize minRows={2} maxRows={10} spellCheck={false} classNames={{ input: "mono" }} placeholder='properties["plan"] == "pro"' error={isWrongExpression ? visible(problem.message) : undefined} />
              {isWrongExpression && <Caret text={where} message={problem.message} />}
            </div>
            <TagsInput label="Properties to show" description="Empty shows the most common ones." value={properties} onChange={setProperties} placeholder="Type a name, then press Enter" data={columns.map(visible)} comboboxProps={{ withinPortal: false }} acceptValueOnBlur />
            <Group justify="space-between">
              <Button type="submit" loading={isBusy} leftSection={<IconSearch size={16} />}>Search</Button>
              {page && <Text size="sm" role="status">{number(page.total)} {page.total === 1 ? "profile" : "profiles"}</Text>}
            </Group>
          </Stack>
        </form>
        <Accordion mt="sm" variant="default">
          <Accordion.Item value="help">
            <Accordion.Control>How to write an expression</Accordion.Control>
            <Accordion.Panel>
              <Table>
                <Table.Tbody>
                  {examples.map(([expression, meaning]) => (
                    <Table.Tr key={expression}>
                      <Table.Td><Anchor component="button" type="button" ta="left" onClick={() => setWhere(expression)}><Code>{expression}</Code></Anchor></Table.Td>
                      <Table.Td>{meaning}</Table.Td>
                    </Table.Tr>
                  ))}
                </Table.Tbody>
              </Table>
            </Accordion.Panel>
          </Accordion.Item>
        </Accordion>
      </Paper>
      {!isWrongExpression && <ProblemAlert problem={problem} />}
      {page && (
        <>
          <RecordList
            key={`${page.session}-${page.page}`}
            label="Profiles"
            records={records}
            columns={["User", ...columns.map(visible)]}
            cells={({ profile }) => [<b key="id">{visible(shown(get(profile, "$distinct_id")))}</b>, ...columns.map((column) => visible(shown(get(get(profile, "$properties"), column)).slice(0, 200)))]}
            detail={({ profile }) => <JsonView tall label="profile" json={profile} />}
            empty={<Empty title="No profile is like that">{page.where === "" ? <>There are none yet. Any Mixpanel library makes them, as does <code>mixpanel import --type profiles</code>.</> : "Change the expression to find others."}</Empty>}
          />
          {page.total > page.pageSize && (
            <Group justify="center">
              <Button variant="default" disabled={page.page === 0 || isBusy} onClick={() => void ask(page, page.page - 1)}>Previous</Button>
              <Text size="sm">Page {number(page.page + 1)} of {number(Math.ceil(page.total / page.pageSize))}</Text>
              <Button variant="default" disabled={(page.page + 1) * page.pageSize >= page.total || isBusy} onClick={() => void ask(page, page.page + 1)}>Next</Button>
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

/** What was asked for, else what most profiles have. */
function columnsOf(profiles: Json[], asked: string[]): string[] {
  if (asked.length > 0) return asked;
  const counts = new Map<string, number>();
  for (const profile of profiles) {
    const properties = get(profile, "$properties");
    if (properties?.kind === "object") for (const [name] of properties.entries) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts].sort((one, other) => other[1] - one[1]).slice(0, 5).map(([name]) => name);
}
