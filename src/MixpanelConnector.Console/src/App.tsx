import { ActionIcon, Anchor, Badge, Button, Loader, Paper, PasswordInput, Stack, Switch, Text, Title, Tooltip, useComputedColorScheme, useMantineColorScheme } from "@mantine/core";
import { IconActivity, IconAlertTriangle, IconApi, IconChartAreaLine, IconFileImport, IconKey, IconMoon, IconSun, IconUsers } from "@tabler/icons-react";
import { type FormEvent, useEffect, useState } from "react";
import { type Action, actions, key, type Problem, type Server, server } from "./api.ts";
import { SessionContext } from "./context.ts";
import { Fence } from "./Fence.tsx";
import { listen, useLive } from "./live.ts";
import { Actions } from "./pages/Actions.tsx";
import { Imports } from "./pages/Imports.tsx";
import { LiveEvents, Rejected } from "./pages/LiveEvents.tsx";
import { Overview } from "./pages/Overview.tsx";
import { Profiles } from "./pages/Profiles.tsx";
import { ServiceAccounts } from "./pages/ServiceAccounts.tsx";
import { asProblem, ProblemAlert } from "./parts.tsx";

const pages = [
  { path: "", label: "Overview", icon: IconChartAreaLine, page: () => <Overview />, ofEmbedded: false },
  { path: "live", label: "Live events", icon: IconActivity, page: () => <LiveEvents />, ofEmbedded: true },
  { path: "rejected", label: "Rejected", icon: IconAlertTriangle, page: () => <Rejected />, ofEmbedded: true },
  { path: "imports", label: "Imports", icon: IconFileImport, page: () => <Imports />, ofEmbedded: false },
  { path: "profiles", label: "Profiles", icon: IconUsers, page: () => <Profiles />, ofEmbedded: false },
  { path: "accounts", label: "Service accounts", icon: IconKey, page: () => <ServiceAccounts />, ofEmbedded: false },
  { path: "actions", label: "Actions", icon: IconApi, page: (name: string | undefined) => <Actions name={name} />, ofEmbedded: false },
];

function useHash(): string[] {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const changed = () => setHash(location.hash);
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, []);
  return hash.replace(/^#\/?/, "").split("/");
}

export function App() {
  const [known, setKnown] = useState<{ server: Server; actions: Action[] }>();
  const [problem, setProblem] = useState<Problem>();
  const [mayChange, setMayChange] = useState(false);
  const [path, name] = useHash();

  async function begin() {
    try {
      const [about, list] = await Promise.all([server(), actions()]);
      setKnown({ server: about, actions: list });
      setProblem(undefined);
      listen();
    } catch (error) {
      setProblem(asProblem(error));
    }
  }

  useEffect(() => void begin(), []);

  // On a phone the pages are a row that is wider than the screen.
  useEffect(() => void document.querySelector("nav.pages [aria-current=page]")?.scrollIntoView({ block: "nearest", inline: "center" }), [path, known]);

  if (!known) return <Door problem={problem} onKey={() => void begin()} />;
  const shown = pages.filter(({ ofEmbedded }) => !ofEmbedded || known.server.mixpanel === "embedded");
  const page = shown.find((one) => one.path === path) ?? shown[0]!;
  return (
    <SessionContext value={{ ...known, mayChange }}>
      <a className="skip" href="#main" onClick={(event) => { event.preventDefault(); document.querySelector<HTMLElement>("#main h1")?.focus(); }}>To the content</a>
      <div className="shell">
        <Header server={known.server} mayChange={mayChange} setMayChange={setMayChange} />
        <nav className="pages" aria-label="Pages">
          {shown.map(({ path, label, icon: Icon }) => (
            <a key={path} href={`#/${path}`} aria-current={path === page.path ? "page" : undefined}>
              <Icon size={18} aria-hidden="true" />
              <span>{label}</span>
            </a>
          ))}
          <Anchor href="reference" target="_blank" rel="noopener" size="sm" className="reference">API reference</Anchor>
        </nav>
        <main id="main"><Fence key={`${page.path}/${name ?? ""}`}>{page.page(name)}</Fence></main>
      </div>
    </SessionContext>
  );
}

function Header({ server, mayChange, setMayChange }: { server: Server; mayChange: boolean; setMayChange: (value: boolean) => void }) {
  const { state } = useLive();
  const { setColorScheme } = useMantineColorScheme();
  const scheme = useComputedColorScheme("light");
  const other = scheme === "dark" ? "light" : "dark";
  return (
    <header>
      <a className="brand" href="#/"><img src="console.svg" alt="" width="26" height="26" /> Mixpanel Connector</a>
      <Badge variant="light" color={server.mixpanel === "embedded" ? "violet" : "orange"} tt="none" size="lg" className="where">
        {server.mixpanel === "embedded" ? "embedded Mixpanel" : `Mixpanel${server.region ? ` (${server.region})` : ""}`}{server.project_id === null ? "" : `, project ${server.project_id}`}
      </Badge>
      <span className={`pulse ${state}`} role="status">{state === "open" ? "live" : state === "connecting" ? "connecting" : "not connected, trying again"}</span>
      <Switch label="Allow changes" checked={mayChange} disabled={server.scope === "read"} description={server.scope === "read" ? "This key may only read." : undefined} onChange={(change) => setMayChange(change.currentTarget.checked)} />
      <Tooltip label={`Use ${other} colours`} withinPortal={false}>
        <ActionIcon variant="default" size="lg" aria-label={`Use ${other} colours`} onClick={() => setColorScheme(other)}>{scheme === "dark" ? <IconSun size={18} /> : <IconMoon size={18} />}</ActionIcon>
      </Tooltip>
    </header>
  );
}

/** Before the server has said who it is: a moment of waiting, a question for the key, or what went wrong. */
function Door({ problem, onKey }: { problem: Problem | undefined; onKey: () => void }) {
  const [value, setValue] = useState("");
  const wantsKey = problem?.status === 401;
  const isKey = /^[\x21-\x7e]+$/.test(value.trim()); // anything else could not even be sent

  function submit(event: FormEvent) {
    event.preventDefault();
    if (!isKey) return;
    key.set(value.trim());
    onKey();
  }

  return (
    <main className="door">
      <Paper withBorder p="xl">
        <Stack>
          <Title order={1} size="h3">Mixpanel Connector</Title>
          {!problem && <Loader role="status" aria-label="Connecting" />}
          {problem && !wantsKey && <><ProblemAlert problem={problem} /><Button onClick={onKey}>Try again</Button></>}
          {wantsKey && (
            <form onSubmit={submit}>
              <Stack>
                <Text size="sm">This server wants a key. It stays in this tab, and is gone when you close it.</Text>
                <PasswordInput label="Key" autoFocus autoComplete="off" value={value} onChange={(change) => setValue(change.currentTarget.value)} error={value.trim() !== "" && !isKey ? "A key has letters, digits and _ alone." : key.get() !== "" ? "The server does not know this key." : undefined} visibilityToggleButtonProps={{ "aria-label": "Show the key" }} />
                <Button type="submit" disabled={!isKey}>Open</Button>
              </Stack>
            </form>
          )}
        </Stack>
      </Paper>
    </main>
  );
}
