import { Button, FileButton, Group, NativeSelect, Textarea, TextInput } from "@mantine/core";
import { IconFileImport } from "@tabler/icons-react";
import { useEffect, useRef, useState } from "react";
import { useAsked } from "../../asked.ts";
import { ProblemAlert } from "../../parts.tsx";
import { type Options, vendors } from "../../uploads.ts";

const [plain, own] = ["", "custom mapping"];

/** So long after the last key a text is taken. */
const pause = 600;

/** Whose records these are, and by which mapping they become Mixpanel's. */
export function Origin({ options, onChange }: { options: Options; onChange: (changes: Partial<Options>) => void }) {
  const known = useAsked("vendors", vendors);
  const [hasOwn, setHasOwn] = useState(options.mapping !== "");
  const reset = useRef<() => void>(null);
  const isMapped = hasOwn || options.vendor !== "";

  function choose(origin: string) {
    setHasOwn(origin === own);
    onChange({ vendor: origin === own ? "" : origin, mapping: "", ...(origin === plain ? { identity: "", group_key: "" } : {}) });
  }

  return (
    <>
      <Group align="end">
        <NativeSelect label="Source" value={hasOwn ? own : options.vendor} onChange={(chosen) => choose(chosen.currentTarget.value)} data={[{ value: plain, label: "Mixpanel format or a table" }, ...(known.value ?? []).map((vendor) => ({ value: vendor, label: `${vendor} export` })), own]} />
        {isMapped && <NativeSelect label="User identification" value={options.identity} onChange={(chosen) => onChange({ identity: chosen.currentTarget.value })} data={[{ value: "", label: "by $user_id and $device_id" }, { value: "original", label: "by distinct_id (original ID merge)" }]} />}
        {isMapped && options.type === "events" && <Typed label="Group key, optional" value={options.group_key} onChange={(group_key) => onChange({ group_key })} />}
        {hasOwn && (
          <FileButton resetRef={reset} accept=".json,application/json" onChange={(file) => void file?.text().then((mapping) => { reset.current?.(); onChange({ mapping }); })} inputProps={{ "aria-label": "Mapping file" }}>
            {(props) => <Button {...props} variant="default" leftSection={<IconFileImport size={16} />}>Load from file</Button>}
          </FileButton>
        )}
      </Group>
      {hasOwn && <Typed label="Mapping (JSON)" isLong value={options.mapping} onChange={(mapping) => onChange({ mapping })} />}
      <ProblemAlert problem={known.problem} />
    </>
  );
}

/** A text that counts once nobody types any more. */
function Typed({ label, value, isLong = false, onChange }: { label: string; value: string; isLong?: boolean; onChange: (text: string) => void }) {
  const [text, setText] = useState(value);
  const latest = useRef(onChange);
  latest.current = onChange;
  useEffect(() => setText(value), [value]);
  useEffect(() => {
    if (text === value) return;
    const timer = setTimeout(() => latest.current(text), pause);
    return () => clearTimeout(timer);
  }, [text]);
  const common = { label, value: text, spellCheck: false, onChange: (typed: { currentTarget: { value: string } }) => setText(typed.currentTarget.value) };
  return isLong ? <Textarea {...common} autosize minRows={6} maxRows={20} classNames={{ input: "mono" }} placeholder={'{"name": "mine", "events": {"event": "kind", "time": "at", "user_id": "user"}}'} /> : <TextInput {...common} />;
}
