import { Button, NativeSelect, Stack, TagsInput, Text, Textarea, TextInput } from "@mantine/core";
import { IconPlayerPlay } from "@tabler/icons-react";
import { type FormEvent, useId, useState } from "react";
import { type Action, invoke, type Problem, type Schema } from "./api.ts";
import { typesOf } from "./calls.ts";
import { useSession } from "./context.ts";
import { from, get, type Json, JsonError, parse, write } from "./json.ts";
import { asProblem, ProblemAlert } from "./parts.tsx";

/** What a form holds: the text of each field; the items where a field is a list of texts. */
export type Fields = Record<string, string | string[]>;

/** How a field is filled in. */
type Kind = "text" | "choice" | "number" | "boolean" | "texts" | "json";

export function kindOf(schema: Schema): Kind {
  const types = typesOf(schema).filter((type) => type !== "null");
  if (schema.enum) return "choice";
  if (types.length === 1 && types[0] === "array") return schema.items && typesOf(schema.items).join() === "string" ? "texts" : "json";
  if (types.length !== 1) return "json";
  return types[0] === "string" ? "text" : types[0] === "integer" || types[0] === "number" ? "number" : types[0] === "boolean" ? "boolean" : "json";
}

/** A form that begins with the values of an object. */
export function fieldsOf(schema: Schema, values: Json): Fields {
  const fields: Fields = {};
  for (const [name, field] of Object.entries(schema.properties ?? {})) {
    const value = get(values, name) ?? (field.default === undefined ? undefined : from(field.default));
    const kind = kindOf(field);
    if (kind === "texts") fields[name] = value?.kind === "array" ? value.items.map((item) => (item.kind === "string" ? item.value : write(item))) : [];
    else if (value === undefined || (value.kind === "literal" && value.text === "null")) fields[name] = "";
    else fields[name] = kind !== "json" && value.kind === "string" ? value.value : write(value);
  }
  return fields;
}

/** The input that a form holds, with the fields that cannot be read and why. Numbers stay as they are written. */
export function inputOf(schema: Schema, fields: Fields): { input: Json; faults: Record<string, string> } {
  const entries: [string, Json][] = [];
  const faults: Record<string, string> = {};
  for (const [name, field] of Object.entries(schema.properties ?? {})) {
    const value = fields[name] ?? "";
    const isRequired = schema.required?.includes(name) && field.default === undefined;
    if (value.length === 0) {
      if (isRequired) faults[name] = "This is needed.";
      continue;
    }
    try {
      entries.push([name, read(kindOf(field), value)]);
    } catch (error) {
      faults[name] = error instanceof JsonError || error instanceof RangeError ? error.message : "This cannot be read.";
    }
  }
  return { input: { kind: "object", entries }, faults };
}

function read(kind: Kind, value: string | string[]): Json {
  if (Array.isArray(value)) return { kind: "array", items: value.map((item) => ({ kind: "string", value: item })) };
  if (kind === "text" || kind === "choice") return { kind: "string", value };
  if (kind === "number" && !/^-?\d+(\.\d+)?$/.test(value.trim())) throw new RangeError("This must be a number.");
  return parse(value.trim());
}

/** A form made from an action's schema. */
export function ActionForm({ action, initial, onInput, onDone, submit = "Run", fixed = [] }: {
  action: Action;
  initial: Json;
  onInput?: (input: Json) => void;
  onDone: (output: Json) => void;
  submit?: string;
  fixed?: string[];
}) {
  const { mayChange } = useSession();
  const [fields, setFields] = useState(() => fieldsOf(action.input_schema, initial));
  const [faults, setFaults] = useState<Record<string, string>>({});
  const [problem, setProblem] = useState<Problem>();
  const [isBusy, setBusy] = useState(false);
  const isForbidden = action.scope === "write" && !mayChange;
  const why = useId();

  function change(name: string, value: string | string[]) {
    const changed = { ...fields, [name]: value };
    setFields(changed);
    setFaults((before) => ({ ...before, [name]: "" }));
    onInput?.(inputOf(action.input_schema, changed).input);
  }

  async function run(event: FormEvent) {
    event.preventDefault();
    const { input, faults } = inputOf(action.input_schema, fields);
    setFaults(faults);
    if (Object.keys(faults).length > 0 || isForbidden) return;
    setBusy(true);
    setProblem(undefined);
    try {
      onDone(await invoke(action.name, write(input)));
    } catch (error) {
      setProblem(asProblem(error));
    } finally {
      setBusy(false);
    }
  }

  // A fault below a field, such as properties.time, shows at the field that holds it.
  const atField = (name: string) => faults[name] || (problem?.field !== undefined && problem.field.split(/[.[]/)[0] === name ? problem.message : undefined);

  return (
    <form onSubmit={(event) => void run(event)} noValidate>
      <Stack>
        {Object.entries(action.input_schema.properties ?? {}).filter(([name]) => !fixed.includes(name)).map(([name, schema]) => (
          <Field key={name} name={name} schema={schema} isRequired={action.input_schema.required?.includes(name) === true && schema.default === undefined} value={fields[name] ?? ""} error={atField(name)} onChange={(value) => change(name, value)} />
        ))}
        <ProblemAlert problem={problem} />
        <div>
          <Button type="submit" loading={isBusy} disabled={isForbidden} leftSection={<IconPlayerPlay size={16} />} aria-describedby={isForbidden ? why : undefined}>{submit}</Button>
          {isForbidden && <Text id={why} size="sm" c="dimmed" mt="xs">This changes data. Switch on “Allow changes” at the top of the page first.</Text>}
        </div>
      </Stack>
    </form>
  );
}

function Field({ name, schema, isRequired, value, error, onChange }: { name: string; schema: Schema; isRequired: boolean; value: string | string[]; error: string | undefined; onChange: (value: string | string[]) => void }) {
  const common = { label: name, description: schema.description, required: isRequired, error: error || undefined, styles: { label: { fontFamily: "var(--mantine-font-family-monospace)" } } };
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
