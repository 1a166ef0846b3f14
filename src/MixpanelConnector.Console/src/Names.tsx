import { CloseButton, NativeSelect, TextInput } from "@mantine/core";
import { type KeyboardEvent, type ReactNode, useId, useState } from "react";
import { visible } from "./text.ts";

/** Several names, with suggestions. Enter adds the typed text; choosing a suggestion adds it. */
export function Names({ label, description, value, onChange, proposals = [], placeholder, most = 100, error, isRequired, isMono, takesFocus, className }: {
  label: string;
  description?: ReactNode;
  value: string[];
  onChange: (value: string[]) => void;
  proposals?: string[];
  placeholder?: string;
  most?: number;
  error?: string | undefined;
  isRequired?: boolean;
  isMono?: boolean;
  takesFocus?: boolean;
  className?: string;
}) {
  const [text, setText] = useState("");
  const list = useId();
  const known = (shown: string) => proposals.find((name) => visible(name) === shown) ?? shown;

  function add(shown: string) {
    const name = known(shown.trim());
    if (name !== "" && !value.includes(name) && value.length < most) onChange([...value, name]);
    setText("");
  }

  function onKey(event: KeyboardEvent) {
    if (event.key === "Enter" && text.trim() !== "") {
      event.preventDefault();
      add(text);
    } else if (event.key === "Backspace" && text === "" && value.length > 0) onChange(value.slice(0, -1));
  }

  return (
    <div className={className}>
      <TextInput
        label={label} description={description} required={isRequired} error={error} data-autofocus={takesFocus || undefined} list={list}
        placeholder={value.length > 0 ? undefined : placeholder} value={text} disabled={value.length >= most} onKeyDown={onKey} onBlur={() => add(text)}
        onChange={(change) => (proposals.some((name) => visible(name) === change.currentTarget.value && (change.nativeEvent as InputEvent).inputType !== "insertText") ? add(change.currentTarget.value) : setText(change.currentTarget.value))}
        styles={isMono ? { label: { fontFamily: "var(--mantine-font-family-monospace)" } } : undefined}
      />
      <datalist id={list}>{proposals.filter((name) => !value.includes(name)).slice(0, 500).map((name) => <option key={name} value={visible(name)} />)}</datalist>
      {value.length > 0 && (
        <ul className="names" aria-label={`${label}, selected`}>
          {value.map((name) => <li key={name}>{visible(name)}<CloseButton size="xs" aria-label={`Remove ${visible(name)}`} onClick={() => onChange(value.filter((other) => other !== name))} /></li>)}
        </ul>
      )}
    </div>
  );
}

/** A name: chosen if the names are known, typed if they are not (undefined). While they load, it is a list that lacks them: a field must not become another one under the user's hands. */
export function NameField({ label, value, onChange, names, none }: { label: string; value: string; onChange: (value: string) => void; names: string[] | undefined; none?: string }) {
  if (names === undefined) return <TextInput label={label} placeholder={none} value={value} onChange={(change) => onChange(change.currentTarget.value)} />;
  const data = [...new Set([...names, ...(value === "" ? [] : [value])])].map((name) => ({ value: name, label: visible(name) }));
  return <NativeSelect label={label} value={value} onChange={(change) => onChange(change.currentTarget.value)} data={[...(none === undefined ? [] : [{ value: "", label: none }]), ...data]} />;
}
