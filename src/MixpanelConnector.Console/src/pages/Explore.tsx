import { Button, Group, NativeSelect, Paper, Stack, Tabs, TextInput } from "@mantine/core";
import { IconDeviceFloppy, IconTrash } from "@tabler/icons-react";
import { type FormEvent, useState } from "react";
import { useSession } from "../context.ts";
import { useLive } from "../live.ts";
import { Empty, Loading, PageTitle } from "../parts.tsx";
import { useParameter } from "../route.ts";
import { visible } from "../text.ts";
import { Funnels } from "./explore/Funnels.tsx";
import { Retention } from "./explore/Retention.tsx";
import { Trends } from "./explore/Trends.tsx";

/** Questions to the project: over time, through funnels, and who comes back. Each is a call of an action, and says which. */
export function Explore() {
  const { server } = useSession();
  const isEmbedded = server.mixpanel === "embedded";
  const [report, setReport] = useParameter("report", "trends");
  const isKnown = useLive(({ hasProject }) => !isEmbedded || hasProject);
  const isEmpty = useLive(({ names }) => isEmbedded && names.length === 0);
  return (
    <Stack>
      <PageTitle about={isEmbedded ? "Trends, funnels and retention of the project." : "Trends, funnels and retention of the project. Mixpanel allows 60 queries per hour, so queries run only when you start them."} right={<SavedViews />}>Explore</PageTitle>
      {!isKnown ? <Paper withBorder p="md"><Loading height={420} /></Paper> : isEmpty ? <Paper withBorder p="xl"><Empty title="No events yet"><a href="#/imports">Import a file</a> or send an event with <a href="#/actions/track_event">track_event</a>.</Empty></Paper> : (
        <Tabs value={report} onChange={(value) => setReport(value ?? "trends")} keepMounted={false}>
          <Tabs.List aria-label="Reports">
            <Tabs.Tab value="trends">Trends</Tabs.Tab>
            <Tabs.Tab value="funnels">Funnels</Tabs.Tab>
            <Tabs.Tab value="retention">Retention</Tabs.Tab>
          </Tabs.List>
          <Tabs.Panel value="trends" pt="md"><Trends isEmbedded={isEmbedded} /></Tabs.Panel>
          <Tabs.Panel value="funnels" pt="md"><Funnels isEmbedded={isEmbedded} /></Tabs.Panel>
          <Tabs.Panel value="retention" pt="md"><Retention isEmbedded={isEmbedded} /></Tabs.Panel>
        </Tabs>
      )}
    </Stack>
  );
}

const storeName = "mixpanel-connector-views";

interface View {
  name: string;
  address: string;
}

function stored(): View[] {
  try {
    const views: unknown = JSON.parse(localStorage.getItem(storeName) ?? "[]");
    return Array.isArray(views) ? views.filter((one): one is View => typeof one?.name === "string" && typeof one?.address === "string" && one.address.startsWith("#/explore")) : [];
  } catch {
    return []; // somebody else wrote there
  }
}

/** Views by name, kept in this browser. A view is an address: it can be sent to others, too. */
function SavedViews() {
  const [views, setViews] = useState(stored);
  const [name, setName] = useState("");
  const current = views.find(({ address }) => address === location.hash);

  function keep(changed: View[]) {
    localStorage.setItem(storeName, JSON.stringify(changed));
    setViews(changed);
  }

  function submit(event: FormEvent) {
    event.preventDefault();
    if (name.trim() === "") return;
    keep([...views.filter((one) => one.name !== name.trim()), { name: name.trim(), address: location.hash }]);
    setName("");
  }

  return (
    <form onSubmit={submit}>
      <Group align="end" gap="xs">
        {views.length > 0 && <NativeSelect label="Saved views" value={current?.address ?? ""} data={[{ value: "", label: "Choose", disabled: true }, ...views.map(({ name, address }) => ({ value: address, label: visible(name) }))]} onChange={(change) => { location.hash = change.currentTarget.value; }} />}
        {current && <Button variant="default" aria-label={`Delete the view ${visible(current.name)}`} onClick={() => keep(views.filter((one) => one !== current))}><IconTrash size={16} /></Button>}
        <TextInput label="Save view as" value={name} maxLength={100} onChange={(change) => setName(change.currentTarget.value)} />
        <Button type="submit" variant="default" disabled={name.trim() === ""} leftSection={<IconDeviceFloppy size={16} />}>Save</Button>
      </Group>
    </form>
  );
}

