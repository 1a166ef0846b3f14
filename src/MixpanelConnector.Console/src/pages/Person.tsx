import { Anchor, Badge, Button, Group, Paper, Stack, Text, Title } from "@mantine/core";
import { useState } from "react";
import { invoke } from "../api.ts";
import { useAsked } from "../asked.ts";
import { useSession } from "../context.ts";
import { addDays, dayOf, timeOf, wall } from "../data/dates.ts";
import { number } from "../data/numbers.ts";
import { get, items, type Json, shown } from "../json.ts";
import { useLive } from "../live.ts";
import { Empty, Loading, PageTitle, ProblemAlert } from "../parts.tsx";
import { visible } from "../text.ts";
import { Tree } from "../Tree.tsx";

const step = 100;

/** One person: the profile, and the events in the order of time, the latest first. */
export function Person({ id }: { id: string }) {
  const { server } = useSession();
  const isEmbedded = server.mixpanel === "embedded";
  const { hasProject, zone, first, last } = useLive();
  const [isPressed, setPressed] = useState(isEmbedded);
  const [most, setMost] = useState(step);
  const today = dayOf(Date.now(), zone);
  // A real project is asked for the last ninety days.
  const days = { from_date: isEmbedded ? (first ? dayOf(Date.parse(first), zone) : today) : addDays(today, -89), to_date: isEmbedded && last && dayOf(Date.parse(last), zone) > today ? dayOf(Date.parse(last), zone) : today };
  const isReady = isPressed && (!isEmbedded || hasProject);
  const profile = useAsked(isReady ? id : null, async () => items(get(await invoke("query_user_profiles", JSON.stringify({ distinct_id: id })), "results"))[0] ?? null);
  const events = useAsked(isReady ? JSON.stringify([id, days]) : null, async () => items(get(await invoke("query_activity_stream", JSON.stringify({ distinct_ids: [id], ...days })), "results")).reverse());
  return (
    <Stack>
      <PageTitle about={<>Profile and events, {days.from_date} to {days.to_date}. Times are in {zone}. <Anchor href="#/profiles" inherit>All profiles</Anchor>.</>} right={<Button variant="default" loading={events.isBusy} onClick={() => { if (isPressed) { profile.ask(); events.ask(); } setPressed(true); }}>{isEmbedded ? "Refresh" : "Run (2 queries)"}</Button>}>
        {visible(id) || "(no id)"}
      </PageTitle>
      <ProblemAlert problem={events.problem ?? profile.problem} />
      <div className="person">
        <Paper withBorder p="md">
          <Title order={2} size="h4" mb="sm">Events {events.value && <Text span c="dimmed" size="sm" fw={400}>{number(events.value.length)}</Text>}</Title>
          {!events.value ? events.isBusy && isReady ? <Loading height={240} /> : !events.problem && <Text c="dimmed" size="sm">Not queried yet.</Text>
            : events.value.length === 0 ? <Empty title="No events">This person has no events in this time range.</Empty> : (
              <>
                <Timeline events={events.value.slice(0, most)} zone={zone} />
                {events.value.length > most && <Button variant="subtle" fullWidth onClick={() => setMost(most + step)}>Show {number(Math.min(step, events.value.length - most))} more</Button>}
              </>
            )}
        </Paper>
        <Paper withBorder p="md">
          <Title order={2} size="h4" mb="sm">Profile</Title>
          {profile.value ? <Tree label="profile" json={profile.value} /> : profile.value === null ? <Text c="dimmed" size="sm">No profile has this id.</Text> : profile.isBusy && isReady ? <Loading /> : <Text c="dimmed" size="sm">Not queried yet.</Text>}
        </Paper>
      </div>
    </Stack>
  );
}

/** Events under the days on which they happened. What an event has is made when it is opened. */
function Timeline({ events, zone }: { events: Json[]; zone: string }) {
  const days = new Map<string, { at: string; event: Json }[]>();
  for (const event of events) {
    const seconds = Number(shown(get(get(event, "properties"), "time")));
    const at = timeOf(wall(seconds * 1000, zone));
    const day = at.slice(0, 10);
    days.set(day, [...(days.get(day) ?? []), { at: at.slice(11), event }]);
  }
  return (
    <div className="timeline">
      {[...days].map(([day, all]) => (
        <section key={day} aria-label={day}>
          <Group gap="xs" mb={4}><Text component="h3" fw={600} size="sm">{day}</Text><Badge variant="light" color="gray" size="sm">{number(all.length)}</Badge></Group>
          <ol>{all.map(({ at, event }, index) => <li key={index}><Happened at={at} event={event} /></li>)}</ol>
        </section>
      ))}
    </div>
  );
}

function Happened({ at, event }: { at: string; event: Json }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details onToggle={(toggle) => setOpen(toggle.currentTarget.open)}>
      <summary><time>{at}</time> <b>{visible(shown(get(event, "event")))}</b></summary>
      {isOpen && <Tree label="event" json={get(event, "properties") ?? event} />}
    </details>
  );
}
