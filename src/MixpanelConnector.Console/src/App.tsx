import { ActionIcon, Anchor, Badge, Button, Loader, Paper, Stack, Switch, Text, TextInput, Title, useComputedColorScheme, useMantineColorScheme } from "@mantine/core";
import { IconActivity, IconAlertTriangle, IconApi, IconBook, IconChartAreaLine, IconFileImport, IconKey, IconMoon, IconSun, IconUsers, IconZoomCode } from "@tabler/icons-react";
import { type FormEvent, type ReactNode, useEffect, useState } from "react";
import { key, Problem, type Server, server } from "./api.ts";
import { SessionContext } from "./context.ts";
import { Fence } from "./Fence.tsx";
import { begin, useLive } from "./live.ts";
import { Actions } from "./pages/Actions.tsx";
import { Explore } from "./pages/Explore.tsx";
import { Imports } from "./pages/Imports.tsx";
import { LiveEvents } from "./pages/LiveEvents.tsx";
import { Overview } from "./pages/Overview.tsx";
import { Profiles } from "./pages/Profiles.tsx";
import { Rejected } from "./pages/Rejected.tsx";
import { ServiceAccounts } from "./pages/ServiceAccounts.tsx";
import { asProblem, PageTitle, ProblemAlert } from "./parts.tsx";
import { useRoute } from "./route.ts";
import { visible } from "./text.ts";

interface Page {
  path: string;
  label: string;
  icon: typeof IconKey;
  page: (name: string | undefined) => ReactNode;
  /** Whether only the embedded Mixpanel can fill it. */
  ofEmbedded?: boolean;
  /** Whether a name may follow its path. */
  hasNames?: boolean;
}

const pages: Page[] = [
  { path: "", label: "Overview", icon: IconChartAreaLine, page: () => <Overview /> },
  { path: "explore", label: "Explore", icon: IconZoomCode, page: () => <Explore /> },
  { path: "live", label: "Live events", icon: IconActivity, page: () => <LiveEvents />, ofEmbedded: true },
  { path: "rejected", label: "Rejected", icon: IconAlertTriangle, page: () => <Rejected />, ofEmbedded: true },
  { path: "imports", label: "Imports", icon: IconFileImport, page: () => <Imports /> },
  { path: "profiles", label: "Profiles", icon: IconUsers, page: () => <Profiles /> },
  { path: "accounts", label: "Service accounts", icon: IconKey, page: () => <ServiceAccounts /> },
  { path: "actions", label: "Actions", icon: IconApi, page: (name) => <Actions name={name} />, hasNames: true },
];

export function App() {
  const [known, setKnown] = useState<Server>();
  const [problem, setProblem] = useState<Problem>();
  const [mayChange, setMayChange] = useState(false);
  const { path: [path, name, ...more] } = useRoute();
  const isDown = useLive(({ state }) => state === "down");

  async function start() {
    try {
      setKnown(await server());
      setProblem(undefined);
      begin();
    } catch (error) {
      setProblem(asProblem(error));
    }
  }

  useEffect(() => void start(), []);

  if (!known) return <Door problem={problem} onKey={() => void start()} />;
  const shown = pages.filter(({ ofEmbedded }) => !ofEmbedded || known.mixpanel === "embedded");
  const page = more.length === 0 ? shown.find((one) => one.path === path && (one.hasNames || name === undefined)) : undefined;
  return (
    <SessionContext value={{ server: known, mayChange }}>
      <a className="skip" href="#main" onClick={(event) => { event.preventDefault(); document.querySelector<HTMLElement>("#main h1")?.focus(); }}>Skip to content</a>
      <div className="shell">
        <Header server={known} mayChange={mayChange} setMayChange={setMayChange} />
        <nav className="pages" aria-label="Pages">
          {shown.map(({ path, label, icon: Icon }) => (
            <a key={path} href={`#/${path}`} title={label} aria-current={path === page?.path ? "page" : undefined}>
              <Icon size={18} aria-hidden="true" />
              <span>{label}</span>
            </a>
          ))}
          <a href="reference" target="_blank" rel="noopener" title="API reference"><IconBook size={18} aria-hidden="true" /><span>API reference</span></a>
        </nav>
        <main id="main">
          {isDown && <ProblemAlert problem={new Problem(0, "unreachable", "The server is not responding", "It may have been stopped. This page reconnects automatically.", undefined)} />}
          {/* The page keeps what was written into it. */}
          <div hidden={isDown}>
            {page ? <Fence key={`${page.path}/${name ?? ""}`}>{page.page(name)}</Fence> : <NoPage path={[path, name, ...more].filter((part) => part !== undefined).join("/")} isHidden={pages.some((one) => one.path === path && one.ofEmbedded)} />}
          </div>
        </main>
      </div>
    </SessionContext>
  );
}

function NoPage({ path, isHidden }: { path: string; isHidden: boolean }) {
  return (
    <Stack>
      <PageTitle about={isHidden ? "This page is available only with the embedded Mixpanel; this server uses a real project." : "The URL may be mistyped or from another version of the console."}>{isHidden ? "Page not available" : "Page not found"}</PageTitle>
      <Text className="wrap">Cannot open {visible(`#/${path}`)}. <Anchor href="#/">Go to the overview</Anchor>.</Text>
    </Stack>
  );
}

const states = { open: "live", connecting: "connecting", broken: "disconnected, reconnecting", down: "server not responding" };

function Header({ server, mayChange, setMayChange }: { server: Server; mayChange: boolean; setMayChange: (value: boolean) => void }) {
  const state = useLive(({ state }) => state);
  const { setColorScheme } = useMantineColorScheme();
  const scheme = useComputedColorScheme("light");
  const other = scheme === "dark" ? "light" : "dark";
  return (
    <header>
      <a className="brand" href="#/"><img src="console.svg" alt="" width="26" height="26" /> <span>Mixpanel Connector</span></a>
      <Badge variant="light" color={server.mixpanel === "embedded" ? "violet" : "orange"} tt="none" size="lg" className="where">
        {server.mixpanel === "embedded" ? "embedded" : `Mixpanel${server.region ? ` (${server.region})` : ""}`}{server.project_id === null ? "" : `, project ${server.project_id}`}
      </Badge>
      <span className={`pulse ${state}`} role="status"><span>{states[state]}</span></span>
      <Switch label="Allow changes" checked={mayChange} disabled={server.scope === "read"} description={server.scope === "read" ? "This key is read-only." : undefined} onChange={(change) => setMayChange(change.currentTarget.checked)} />
      <ActionIcon variant="default" size="lg" title={`Switch to ${other} theme`} aria-label={`Switch to ${other} theme`} onClick={() => setColorScheme(other)}>{scheme === "dark" ? <IconSun size={18} /> : <IconMoon size={18} />}</ActionIcon>
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
                <Text size="sm">This server requires a key. It is kept in this tab and forgotten when you close it.</Text>
                <TextInput type="password" label="Key" autoFocus autoComplete="off" value={value} onChange={(change) => setValue(change.currentTarget.value)} error={value.trim() !== "" && !isKey ? "A key contains only letters, digits and _." : key.get() !== "" ? "This key is not valid." : undefined} />
                <Button type="submit" disabled={!isKey}>Continue</Button>
              </Stack>
            </form>
          )}
        </Stack>
      </Paper>
    </main>
  );
}
