import { useState } from "react";
import { compact, type Json } from "./json.ts";
import { CopyText } from "./parts.tsx";
import { visible } from "./text.ts";

const mostAtOnce = 200;
const longest = 20_000;

/** A record as a tree of names and values. The data is untrusted: it is only ever rendered as text. */
export function Tree({ json, label }: { json: Json; label: string }) {
  return (
    <div className="json">
      <CopyText text={compact(json)} label={`Copy ${label}`} />
      <div className="tree" role="region" tabIndex={0} aria-label={label}><Value json={json} depth={0} /></div>
    </div>
  );
}

function Value({ json, depth }: { json: Json; depth: number }) {
  if (json.kind === "string" && json.value === "") return <span className="json-text">""</span>; // otherwise nothing would be visible
  if (json.kind === "string") return <span className="json-text">{visible(json.value.slice(0, longest))}{json.value.length > longest && " …"}</span>;
  if (json.kind === "literal") return <span className="json-value">{json.text}</span>;
  const entries: [string, Json][] = json.kind === "object" ? json.entries : json.items.map((item, index) => [String(index), item]);
  if (entries.length === 0) return <span className="json-value">{json.kind === "object" ? "{}" : "[]"}</span>;
  if (depth === 0) return <Members entries={entries} depth={depth} />;
  return <Branch entries={entries} depth={depth} about={json.kind === "object" ? `${entries.length} ${entries.length === 1 ? "member" : "members"}` : `${entries.length} ${entries.length === 1 ? "item" : "items"}`} />;
}

/** Nested values are rendered when they are opened. */
function Branch({ entries, depth, about }: { entries: [string, Json][]; depth: number; about: string }) {
  const [isOpen, setOpen] = useState(depth < 2);
  return (
    <details open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{about}</summary>
      {isOpen && <Members entries={entries} depth={depth} />}
    </details>
  );
}

function Members({ entries, depth }: { entries: [string, Json][]; depth: number }) {
  const [most, setMost] = useState(mostAtOnce);
  return (
    <ul>
      {entries.slice(0, most).map(([name, value], index) => <li key={index}><b className="json-name">{visible(name)}</b> <Value json={value} depth={depth + 1} /></li>)}
      {entries.length > most && <li><button type="button" onClick={() => setMost(most + mostAtOnce)}>{entries.length - most} more</button></li>}
    </ul>
  );
}
