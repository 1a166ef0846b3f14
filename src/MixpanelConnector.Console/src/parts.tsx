import { ActionIcon, Alert, Badge, Code, Group, Text, Title } from "@mantine/core";
import { IconAlertTriangle, IconCheck, IconCopy, IconX } from "@tabler/icons-react";
import { Fragment, type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import { Problem } from "./api.ts";
import { type Json, write } from "./json.ts";
import { visible } from "./text.ts";

/** A page's title gets the focus when the page opens, so that the keyboard and a screen reader continue from there. */
export function PageTitle({ children, about, right }: { children: string; about: ReactNode; right?: ReactNode }) {
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${children} · Mixpanel Connector`;
    title.current?.focus({ preventScroll: true });
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

/** JSON for display. The data is untrusted: it is only ever rendered as text. */
export function JsonView({ json, label, tall = false }: { json: Json; label: string; tall?: boolean }) {
  const text = useMemo(() => write(json), [json]);
  const parts = useMemo(() => coloured(visible(text.slice(0, mostShown))), [text]);
  return (
    <div className="json">
      <CopyText text={text} label={`Copy ${label}`} />
      <pre tabIndex={0} aria-label={label} role="region" className={tall ? "tall" : undefined}>
        {parts}
        {text.length > mostShown && `\n… and ${(text.length - mostShown).toLocaleString("en")} more characters: copy the text to see all.`}
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

/** A copy button, where the page may write to the clipboard: on loopback and over TLS. */
export function CopyText({ text, label }: { text: string; label: string }) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 1500);
    return () => clearTimeout(timer);
  }, [copied]);
  if (!navigator.clipboard) return null;
  const says = copied ? "Copied" : label;
  return (
    <ActionIcon className="copy" variant="default" size="md" aria-label={says} title={says} onClick={() => void navigator.clipboard.writeText(text).then(() => setCopied(true))}>
      {copied ? <IconCheck size={16} /> : <IconCopy size={16} />}
    </ActionIcon>
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
      {problem.requestId && (
        <Group gap="xs" mt="xs">
          <Text size="sm">Mixpanel's request id</Text>
          <Code className="wrap">{visible(problem.requestId)}</Code>
          <CopyText text={problem.requestId} label="Copy the request id" />
        </Group>
      )}
    </Alert>
  );
}

export function asProblem(error: unknown): Problem {
  return error instanceof Problem ? error : new Problem(0, "", "Something went wrong", error instanceof Error ? error.message : String(error), undefined);
}

export function Empty({ title, children }: { title: string; children: ReactNode }) {
  return (
    <div className="empty">
      <Text fw={600}>{title}</Text>
      <Text c="dimmed" size="sm" component="div">{children}</Text>
    </div>
  );
}

/** A placeholder while something loads: it reserves the space, and has a text for screen readers. */
export function Loading({ height = 120 }: { height?: number }) {
  return <div className="loading" style={{ height }} role="status"><span>Loading …</span></div>;
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

/** The browser's native dialog: it traps the focus and restores it. */
export function Dialog({ title, onClose, mayLeave = true, children }: { title: string; onClose: () => void; mayLeave?: boolean; children: ReactNode }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const element = dialog.current!;
    const before = document.activeElement as HTMLElement | null;
    element.showModal();
    element.querySelector<HTMLElement>("[data-autofocus]")?.focus();
    return () => {
      element.close();
      before?.focus();
    };
  }, []);
  return (
    <dialog ref={dialog} aria-label={title} onCancel={(event) => { event.preventDefault(); if (mayLeave) onClose(); }}>
      <Group justify="space-between" mb="sm" wrap="nowrap">
        <Title order={2} size="h4">{title}</Title>
        {mayLeave && <ActionIcon variant="subtle" color="gray" aria-label="Close" onClick={onClose}><IconX size={18} /></ActionIcon>}
      </Group>
      {children}
    </dialog>
  );
}
