import { Button, Group, NativeSelect, Stack, Text, Textarea, TextInput } from "@mantine/core";
import { IconPlayerPlay } from "@tabler/icons-react";
import { type FormEvent, useId, useState } from "react";
import { type Action, invoke, type Problem, type Schema } from "./api.ts";
import { confirmed } from "./calls.ts";
import { useSession } from "./context.ts";
import { isDay } from "./data/dates.ts";
import { fieldsOf, formFields, inputOf, kindOf, limitsOf } from "./fields.ts";
import { get, type Json, shown, write } from "./json.ts";
import { Names } from "./Names.tsx";
import { asProblem, Dialog, JsonView, ProblemAlert } from "./parts.tsx";

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
          <Field key={name} takesFocus={isFirst && index === 0} name={name} schema={schema} example={shown(get(initial, name))} isRequired={action.input_schema.required?.includes(name) === true && schema.default === undefined} value={fields[name] ?? ""} error={atField(name)} onChange={(value) => change(name, value)} />
        ))}
        <ProblemAlert problem={problem} />
        <div>
          <Button type="submit" loading={isBusy} disabled={isForbidden} leftSection={<IconPlayerPlay size={16} />} aria-describedby={isForbidden ? why : undefined}>{submit}</Button>
          {isForbidden && <Text id={why} size="sm" c="dimmed" mt="xs">This action changes data. Turn on “Allow changes” at the top of the page first.</Text>}
        </div>
      </Stack>
      {asked && <Dialog title={`${action.title}?`} onClose={() => setAsked(undefined)}>
        <Stack>
          <Text size="sm">{action.description} This cannot be undone.</Text>
          <JsonView json={asked} label="input" />
          <Group justify="end">
            <Button variant="default" data-autofocus onClick={() => setAsked(undefined)}>Cancel</Button>
            <Button color="red.8" onClick={() => void run(asked)}>Confirm</Button>
          </Group>
        </Stack>
      </Dialog>}
    </form>
  );
}

function describe(schema: Schema): string | undefined {
  const limits = limitsOf(schema);
  return limits === undefined ? schema.description : `${schema.description ?? ""} (${limits})`.trimStart();
}

function Field({ takesFocus, name, schema, example, isRequired, value, error, onChange }: { takesFocus: boolean; name: string; schema: Schema; example: string; isRequired: boolean; value: string | string[]; error: string | undefined; onChange: (value: string | string[]) => void }) {
  const common = { "data-autofocus": takesFocus || undefined, label: name, description: describe(schema), required: isRequired, error: error || undefined, styles: { label: { fontFamily: "var(--mantine-font-family-monospace)" } } };
  if (Array.isArray(value)) return <Names label={name} description={describe(schema)} isRequired={isRequired} error={error} isMono takesFocus={takesFocus} value={value} onChange={onChange} placeholder="Type, then press Enter" proposals={(schema.items?.enum ?? []).map(String)} />;
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
      return <TextField common={common} schema={schema} value={value} onChange={onChange} isDay={schema.format === "date" || isDay(example)} />;
  }
}

/** A text: of a day by a picker, of words that its description lists with these as proposals. */
function TextField({ common, schema, value, onChange, isDay }: { common: object; schema: Schema; value: string; onChange: (value: string) => void; isDay: boolean }) {
  const list = useId();
  const choices = choicesIn(schema.description);
  return (
    <>
      <TextInput {...common} type={isDay ? "date" : "text"} value={value} onChange={(change) => onChange(change.currentTarget.value)} list={choices.length > 0 ? list : undefined} />
      {choices.length > 0 && <datalist id={list}>{choices.map((choice) => <option key={choice} value={choice} />)}</datalist>}
    </>
  );
}

/** The words of "one, two or three" at the end of a sentence. */
function choicesIn(description = ""): string[] {
  const found = /: ((?:[a-z_]+, )*[a-z_]+) or ([a-z_]+)\./.exec(description);
  return found ? [...found[1]!.split(", "), found[2]!] : [];
}
