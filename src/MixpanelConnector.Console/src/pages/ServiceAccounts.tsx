import { Alert, Button, Code, Group, Modal, Paper, Stack, Text, TextInput } from "@mantine/core";
import { IconKey, IconPlus } from "@tabler/icons-react";
import { type FormEvent, useEffect, useState } from "react";
import { ActionForm } from "../ActionForm.tsx";
import { invoke, type Problem } from "../api.ts";
import { useSession } from "../context.ts";
import { from, get, items, type Json, shown } from "../json.ts";
import { asProblem, CopyText, Empty, JsonView, PageTitle, ProblemAlert, time, visible } from "../parts.tsx";
import { RecordList } from "../RecordList.tsx";

/** The service accounts of an organization, and a form for a new one. */
export function ServiceAccounts() {
  const { server, actions, mayChange } = useSession();
  const [organization, setOrganization] = useState(server.organization_id?.toString() ?? "");
  const [accounts, setAccounts] = useState<Json[]>();
  const [problem, setProblem] = useState<Problem>();
  const [isBusy, setBusy] = useState(false);
  const [isOpen, setOpen] = useState(false);
  const [made, setMade] = useState<Json>();
  const create = actions.find(({ name }) => name === "create_service_account");

  async function load() {
    setBusy(true);
    setProblem(undefined);
    try {
      setAccounts(items(get(await invoke("get_all_service_accounts", `{"organization_id":${/^\d+$/.test(organization) ? organization : "0"}}`), "service_accounts")));
    } catch (error) {
      setProblem(asProblem(error));
    } finally {
      setBusy(false);
    }
  }

  useEffect(() => {
    if (server.mixpanel === "embedded") void load();
  }, []);

  function submit(event: FormEvent) {
    event.preventDefault();
    void load();
  }

  const records = (accounts ?? []).map((account, index) => ({ id: shown(get(account, "id")) || index, account }));
  const of = (account: Json, ...names: string[]) => names.map((name) => shown(get(account, name))).find((value) => value !== "") ?? "";
  return (
    <Stack>
      <PageTitle about="Who may use the API of an organization." right={create && <Button leftSection={<IconPlus size={16} />} disabled={!mayChange} title={mayChange ? undefined : "Switch on “Allow changes” first"} onClick={() => { setMade(undefined); setOpen(true); }}>New service account</Button>}>Service accounts</PageTitle>
      <form onSubmit={submit}>
        <Group align="end">
          <TextInput label="Organization" inputMode="numeric" value={organization} onChange={(change) => setOrganization(change.currentTarget.value)} />
          <Button type="submit" variant="default" loading={isBusy}>Show</Button>
        </Group>
      </form>
      <ProblemAlert problem={problem} />
      {accounts && (
        <RecordList
          label="Service accounts"
          records={records}
          columns={["Name", "Id", "Made", "Last used", "Expires"]}
          cells={({ account }) => [<b key="name">{visible(of(account, "username"))}</b>, of(account, "id"), time(of(account, "created", "created_at")), of(account, "last_used") === "" ? "never" : time(of(account, "last_used")), of(account, "expires") === "" ? "never" : time(of(account, "expires"))]}
          detail={({ account }) => <JsonView tall label="service account" json={account} />}
          empty={<Empty title="There is none">Make one with the button above.</Empty>}
        />
      )}
      {accounts === undefined && !problem && server.mixpanel === "real" && <Paper withBorder p="xl"><Empty title="Nothing asked yet">Press Show to list the service accounts.</Empty></Paper>}
      {create && (
        <Modal opened={isOpen} onClose={() => setOpen(false)} title={made ? "Keep the secret" : "New service account"} lockScroll={false} size="lg" closeOnClickOutside={false} closeOnEscape={!made} withCloseButton={!made} closeButtonProps={{ "aria-label": "Close" }}>
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
                void load();
              }}
            />
          )}
        </Modal>
      )}
    </Stack>
  );
}

/** The secret is shown this once: neither Mixpanel nor this server can show it again. */
function Made({ output, onClose }: { output: Json; onClose: () => void }) {
  if (shown(get(output, "service_account_created")) !== "true") return <Stack><JsonView json={output} label="answer" /><Group justify="end"><Button onClick={onClose}>Close</Button></Group></Stack>;
  const secret = shown(get(output, "secret"));
  return (
    <Stack>
      <Alert color="teal" icon={<IconKey />} title={`${visible(shown(get(output, "username")))} is made`}>This is its secret. It is shown this once, and cannot be read again.</Alert>
      <Group wrap="nowrap"><Code block className="grow wrap">{secret}</Code><CopyText text={secret} label="Copy the secret" /></Group>
      <Text size="sm" c="dimmed">Its id is {shown(get(output, "id"))}.</Text>
      <Group justify="end"><Button onClick={onClose}>I have kept it</Button></Group>
    </Stack>
  );
}
