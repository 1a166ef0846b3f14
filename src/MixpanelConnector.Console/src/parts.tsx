import { ActionIcon, Alert, Badge, Code, CopyButton, Group, Text, Title, Tooltip } from "@mantine/core";
import { IconAlertTriangle, IconCheck, IconCopy } from "@tabler/icons-react";
import { Fragment, type ReactNode, useEffect, useMemo, useRef } from "react";
import { Problem } from "./api.ts";
import { type Json, write } from "./json.ts";

/** A page's title takes the focus when the page comes up, so that the keyboard and a screen reader go on from there. */
export function PageTitle({ children, about, right }: { children: string; about: ReactNode; right?: ReactNode }) {
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${children} · Mixpanel Connector`;
    title.current?.focus();
  }, [children]);
  return (
    <div className="page-title">
      <div>
        <Title order={1} size="h2" tabIndex={-1} ref={title}>{children}</Title>
        <Text c="dimmed" size="sm">{about}</Text>
      </div>
      {right}
    </div>
  );
}

const mostShown = 200_000;
const token = /"(?:[^"\\]|\\.)*"(\s*:)?|-?\d[\d.eE+-]*|true|false|null/g;

/** JSON to read. What it holds is others' data: it becomes text, and nothing but text. */
export function JsonView({ json, label, tall = false }: { json: Json; label: string; tall?: boolean }) {
  const text = useMemo(() => write(json), [json]);
  const parts = useMemo(() => coloured(visible(text.slice(0, mostShown))), [text]);
  return (
    <div className="json">
      <CopyText text={text} label={`Copy ${label}`} />
      <pre tabIndex={0} aria-label={label} role="region" className={tall ? "tall" : undefined}>
        {parts}
        {text.length > mostShown && `\n… and ${(text.length - mostShown).toLocaleString("en")} characters more: copy it to see all.`}
      </pre>
    </div>
  );
}

function coloured(text: string): ReactNode[] {
  const parts: ReactNode[] = [];
  let end = 0;
  for (const found of text.matchAll(token)) {
    if (found.index > end) parts.push(text.slice(end, found.index));
    const kind = found[1] !== undefined ? "json-name" : found[0].startsWith('"') ? "json-text" : "json-value";
    parts.push(<span key={found.index} className={kind}>{found[0]}</span>);
    end = found.index + found[0].length;
  }
  parts.push(text.slice(end));
  return parts;
}

/** What would change the direction of what follows, or cannot be seen, is shown by its code. */
export function visible(text: string): string {
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

export function CopyText({ text, label }: { text: string; label: string }) {
  return (
    <CopyButton value={text} timeout={1500}>
      {({ copied, copy }) => (
        <Tooltip label={copied ? "Copied" : label} withinPortal={false}>
          <ActionIcon className="copy" variant="default" size="md" onClick={copy} aria-label={copied ? "Copied" : label}>
            {copied ? <IconCheck size={16} /> : <IconCopy size={16} />}
          </ActionIcon>
        </Tooltip>
      )}
    </CopyButton>
  );
}

export function CodeBlock({ code, label }: { code: string; label: string }) {
  return (
    <div className="json">
      <CopyText text={code} label={`Copy ${label}`} />
      <pre tabIndex={0} role="region" aria-label={label}>{visible(code)}</pre>
    </div>
  );
}

export function ProblemAlert({ problem }: { problem: Problem | undefined }) {
  if (problem === undefined) return null;
  return (
    <Alert role="alert" color="red" icon={<IconAlertTriangle />} title={visible(problem.title)}>
      <Text size="sm" className="wrap">{visible(problem.message)}</Text>
      {(problem.kind !== "" || problem.field) && (
        <Group gap="xs" mt="xs">
          {problem.kind !== "" && <Badge variant="light" color="red" tt="none">{problem.kind}</Badge>}
          {problem.field && <Code>{visible(problem.field)}</Code>}
        </Group>
      )}
    </Alert>
  );
}

export function asProblem(error: unknown): Problem {
  return error instanceof Problem ? error : new Problem(0, "", "That did not work", error instanceof Error ? error.message : String(error), undefined);
}

export function Empty({ title, children }: { title: string; children: ReactNode }) {
  return (
    <div className="empty">
      <Text fw={600}>{title}</Text>
      <Text c="dimmed" size="sm" component="div">{children}</Text>
    </div>
  );
}

export function Facts({ facts }: { facts: [string, ReactNode][] }) {
  return (
    <dl className="facts">
      {facts.map(([name, value]) => (
        <Fragment key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </Fragment>
      ))}
    </dl>
  );
}

export const number = (value: number) => value.toLocaleString("en");

export function bytes(value: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(value < 10 ? 1 : 0)} ${units[unit]}`;
}

/** In the time of whoever looks. */
export function time(iso: string, withDate = true): string {
  const at = new Date(iso);
  if (Number.isNaN(at.valueOf())) return iso;
  const pad = (value: number, width = 2) => value.toString().padStart(width, "0");
  const clock = `${pad(at.getHours())}:${pad(at.getMinutes())}:${pad(at.getSeconds())}`;
  return withDate ? `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())} ${clock}` : clock;
}
