import { Button, Group, Modal, NativeSelect, Stack, TagsInput, Text, Textarea, TextInput } from "@mantine/core";
import { IconPlayerPlay } from "@tabler/icons-react";
import { type FormEvent, useId, useState } from "react";
import { type Action, invoke, type Problem, type Schema } from "./api.ts";
import { confirmed } from "./calls.ts";
import { useSession } from "./context.ts";
import { fieldsOf, formFields, inputOf, kindOf, limitsOf } from "./fields.ts";
import { type Json, write } from "./json.ts";
import { asProblem, JsonView, ProblemAlert } from "./parts.tsx";

/** A form made from an action's schema. */
export function ActionForm({ action, initial, onInput, onDone, submit = "Run", isFirst = false }: {
  action: Action;
  initial: Json;
  onInput?: (input: Json) => void;
  /** Gets nothing when a run begins, and then the answer. */
  onDone: (output: Json | undefined) => void;
  submit?: string;
  /** Whether its first field takes the focus, in a dialog. */
  isFirst?: boolean;
}) {
  const { mayChange } = useSession();
  const [fields, setFields] = useState(() => fieldsOf(action.input_schema, initial));
  const [faults, setFaults] = useState<Record<string, string>>({});
  const [problem, setProblem] = useState<Problem>();
  const [isBusy, setBusy] = useState(false);
  const [asked, setAsked] = useState<Json>();
  const isForbidden = action.scope === "write" && !mayChange;
  const why = useId();

  function change(name: string, value: string | string[]) {
    const changed = { ...fields, [name]: value };
    setFields(changed);
    setFaults((before) => ({ ...before, [name]: "" }));
    onInput?.(inputOf(action.input_schema, changed).input);
  }

  function submitted(event: FormEvent) {
    event.preventDefault();
    const { input, faults } = inputOf(action.input_schema, fields);
    setFaults(faults);
    if (Object.keys(faults).length > 0 || isForbidden) return;
    if (action.needs_confirmation) setAsked(input);
    else void run(input);
  }

  async function run(input: Json) {
    setAsked(undefined);
    setBusy(true);
    setProblem(undefined);
    onDone(undefined);
    try {
      onDone(await invoke(action.name, write(action.needs_confirmation ? confirmed(input) : input)));
    } catch (error) {
      setProblem(asProblem(error));
    } finally {
      setBusy(false);
    }
  }

  // A fault below a field, such as properties.time, shows at the field that holds it.
  const atField = (name: string) => faults[name] || (problem?.field !== undefined && problem.field.split(/[.[]/)[0] === name ? problem.message : undefined);

  return (
    <form onSubmit={submitted} noValidate>
      <Stack>
        {formFields(action.input_schema).map(([name, schema], index) => (
          <Field key={name} takesFocus={isFirst && index === 0} name={name} schema={schema} isRequired={action.input_schema.required?.includes(name) === true && schema.default === undefined} value={fields[name] ?? ""} error={atField(name)} onChange={(value) => change(name, value)} />
        ))}
        <ProblemAlert problem={problem} />
        <div>
          <Button type="submit" loading={isBusy} disabled={isForbidden} leftSection={<IconPlayerPlay size={16} />} aria-describedby={isForbidden ? why : undefined}>{submit}</Button>
          {isForbidden && <Text id={why} size="sm" c="dimmed" mt="xs">This changes data. Switch on “Allow changes” at the top of the page first.</Text>}
        </div>
      </Stack>
      <Modal opened={asked !== undefined} onClose={() => setAsked(undefined)} title={`${action.title}?`} lockScroll={false} closeButtonProps={{ "aria-label": "Close" }}>
        <Stack>
          <Text size="sm">{action.description} This cannot be undone.</Text>
          {asked && <JsonView json={asked} label="input" />}
          <Group justify="end">
            <Button variant="default" data-autofocus onClick={() => setAsked(undefined)}>Cancel</Button>
            <Button color="red.8" onClick={() => asked && void run(asked)}>Yes, do it for good</Button>
          </Group>
        </Stack>
      </Modal>
    </form>
  );
}

function describe(schema: Schema): string | undefined {
  const limits = limitsOf(schema);
  return limits === undefined ? schema.description : `${schema.description ?? ""} (${limits})`.trimStart();
}

function Field({ takesFocus, name, schema, isRequired, value, error, onChange }: { takesFocus: boolean; name: string; schema: Schema; isRequired: boolean; value: string | string[]; error: string | undefined; onChange: (value: string | string[]) => void }) {
  const common = { "data-autofocus": takesFocus || undefined, label: name, description: describe(schema), required: isRequired, error: error || undefined, styles: { label: { fontFamily: "var(--mantine-font-family-monospace)" } } };
  if (Array.isArray(value)) return <TagsInput {...common} value={value} onChange={onChange} placeholder="Type, then press Enter" comboboxProps={{ withinPortal: false }} splitChars={[]} acceptValueOnBlur />;
  const set = (change: { currentTarget: { value: string } }) => onChange(change.currentTarget.value);
  switch (kindOf(schema)) {
    case "choice":
      return <NativeSelect {...common} value={value} onChange={set} data={[...(isRequired ? [] : [{ value: "", label: schema.default === undefined ? "(not set)" : `(default: ${String(schema.default)})` }]), ...schema.enum!.filter((choice) => choice !== null).map(String)]} />;
    case "boolean":
      return <NativeSelect {...common} value={value} onChange={set} data={[{ value: "", label: "(not set)" }, "true", "false"]} />;
    case "number":
      return <TextInput {...common} value={value} onChange={set} inputMode="numeric" />;
    case "json":
      return <Textarea {...common} value={value} onChange={set} autosize minRows={3} maxRows={24} spellCheck={false} classNames={{ input: "mono" }} />;
    default:
      return <TextInput {...common} value={value} onChange={set} />;
  }
}
