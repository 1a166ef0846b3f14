import { Alert, Button, Code, Group, Paper, Stack, Text, TextInput } from "@mantine/core";
import { IconKey, IconPlus } from "@tabler/icons-react";
import { type FormEvent, useMemo, useState } from "react";
import { ActionForm } from "../ActionForm.tsx";
import { invoke } from "../api.ts";
import { useActions, useAsked } from "../asked.ts";
import { useSession } from "../context.ts";
import { time } from "../data/dates.ts";
import { from, get, items, type Json, shown } from "../json.ts";
import { useLive } from "../live.ts";
import { CopyText, Dialog, Empty, JsonView, Loading, PageTitle, ProblemAlert } from "../parts.tsx";
import { type Column, RecordTable } from "../RecordTable.tsx";
import { setState, useRoute } from "../route.ts";
import { visible } from "../text.ts";
import { Tree } from "../Tree.tsx";

/** The service accounts of an organization, and a form for a new one. */
export function ServiceAccounts() {
  const { server, mayChange } = useSession();
  const { state } = useRoute();
  const zone = useLive(({ zone }) => zone);
  const shownOrganization = state.get("organization") ?? server.organization_id?.toString() ?? "";
  const [organization, setOrganization] = useState(shownOrganization);
  const [isPressed, setPressed] = useState(server.mixpanel === "embedded");
  const [isOpen, setOpen] = useState(false);
  const [made, setMade] = useState<Json>();
  const actions = useActions();
  const create = actions.value?.find(({ name }) => name === "create_service_account");
  const { value: accounts, problem, isBusy, ask } = useAsked(isPressed ? shownOrganization : null, async () =>
    items(get(await invoke("get_all_service_accounts", `{"organization_id":${/^\d+$/.test(shownOrganization) ? shownOrganization : "0"}}`), "service_accounts")));

  function submit(event: FormEvent) {
    event.preventDefault();
    setState({ organization: organization === server.organization_id?.toString() ? "" : organization });
    if (isPressed && organization === shownOrganization) ask();
    setPressed(true);
  }

  const records = useMemo(() => (accounts ?? []).map((account, index) => ({ id: shown(get(account, "id")) || index, account })), [accounts]);
  const columns = useMemo(() => columnsIn(zone), [zone]);
  return (
    <Stack>
      <PageTitle about="Accounts that may use an organization's API." right={create && <Button leftSection={<IconPlus size={16} />} disabled={!mayChange} title={mayChange ? undefined : "Turn on “Allow changes” first"} onClick={() => { setMade(undefined); setOpen(true); }}>New service account</Button>}>Service accounts</PageTitle>
      <form onSubmit={submit}>
        <Group align="end">
          <TextInput label="Organization" inputMode="numeric" value={organization} onChange={(change) => setOrganization(change.currentTarget.value)} />
          <Button type="submit" variant="default" loading={isBusy}>Show</Button>
        </Group>
      </form>
      <ProblemAlert problem={problem} />
      {!accounts && isBusy && <Paper withBorder p="md"><Loading height={160} /></Paper>}
      {accounts && !problem && (
        <RecordTable
          label="Service accounts"
          records={records}
          columns={columns}
          detail={({ account }) => <Tree label="service account" json={account} />}
          empty={<Empty title="No service accounts">Create one with the button above.</Empty>}
        />
      )}
      {accounts === undefined && !problem && !isBusy && <Paper withBorder p="xl"><Empty title="Not queried yet">Press Show to list the service accounts.</Empty></Paper>}
      {create && isOpen && (
        <Dialog title={made ? "Save the secret" : "New service account"} onClose={() => setOpen(false)} mayLeave={!made}>
          {made ? <Made output={made} onClose={() => setOpen(false)} /> : (
            <ActionForm
              isFirst
              action={create}
              submit="Create"
              initial={from({ role: "analyst", organization_id: /^\d+$/.test(organization) ? Number(organization) : undefined, projects: server.project_id === null ? undefined : [server.project_id] })}
              onDone={(output) => {
                if (!output) return;
                setMade(output);
                setOpen(true); // whatever became of the dialog meanwhile: the secret is shown this once
                ask();
              }}
            />
          )}
        </Dialog>
      )}
    </Stack>
  );
}

interface Account {
  id: string | number;
  account: Json;
}

function columnsIn(zone: string): Column<Account>[] {
  const of = (account: Json, ...names: string[]) => names.map((name) => shown(get(account, name))).find((value) => value !== "") ?? "";
  const moment = (key: string, title: string, ...names: string[]): Column<Account> => ({ key, title, width: 170, cell: ({ account }) => (of(account, ...names) === "" ? "never" : time(of(account, ...names), zone)), sort: ({ account }) => of(account, ...names) });
  return [
    { key: "name", title: "Name", width: 220, cell: ({ account }) => <b>{visible(of(account, "username"))}</b>, sort: ({ account }) => of(account, "username") },
    { key: "id", title: "Id", width: 80, cell: ({ account }) => of(account, "id"), sort: ({ account }) => Number(of(account, "id")) },
    moment("made", "Created", "created", "created_at"),
    moment("used", "Last used", "last_used"),
    moment("expires", "Expires", "expires"),
  ];
}

/** The secret is shown this once: neither Mixpanel nor this server can show it again. */
function Made({ output, onClose }: { output: Json; onClose: () => void }) {
  if (shown(get(output, "service_account_created")) !== "true") return <Stack><JsonView json={output} label="response" /><Group justify="end"><Button onClick={onClose}>Close</Button></Group></Stack>;
  const secret = shown(get(output, "secret"));
  return (
    <Stack>
      <Alert color="teal" icon={<IconKey />} title={`${visible(shown(get(output, "username")))} was created`}>This is its secret. It is shown only once and cannot be retrieved later.</Alert>
      <Group wrap="nowrap"><Code block className="grow wrap">{secret}</Code><CopyText text={secret} label="Copy secret" /></Group>
      <Text size="sm" c="dimmed">Its id is {shown(get(output, "id"))}.</Text>
      <Group justify="end"><Button onClick={onClose}>I have saved it</Button></Group>
    </Stack>
  );
}
