/** What to do about a record that was refused, by what it was refused for. */
const fixes: [pattern: RegExp, fix: string][] = [
  [/older than five days|older than/i, "/track accepts only events of the last five days. Send older ones to /import, with mixpanel import or on the Imports page."],
  [/\$ignore/i, "The sender marked the record with $ignore, so Mixpanel drops it. Remove this property to keep the record."],
  [/token/i, "Send the token of the project that the records are for, as shown in its settings."],
  [/future|time/i, "Send the time as seconds or milliseconds since 1970 in UTC, not before 1971 and not in the future. mixpanel import --fix time parses other formats."],
  [/insert_id/i, "$insert_id must be 1 to 36 letters, digits and hyphens. mixpanel import --fix insert-ids generates valid ones, the same for the same record."],
  [/distinct_id|group_id/i, "Every record needs the id of its user or group: a non-empty string, but none of the placeholders that Mixpanel rejects, such as null or undefined. mixpanel import --fix ids repairs ids, --map distinct_id=COLUMN takes them from a column."],
  [/too deep|nest/i, "Flatten nested values, or send them as text."],
  [/smaller than|at most .*bytes|too large/i, "Make the record smaller: remove or shorten large texts. mixpanel import --drop NAME removes a property."],
  [/at most .*propert/i, "Remove properties, or combine several in one object. mixpanel import --drop NAME removes one."],
  [/^event\b|'event'/i, "Every event needs a name: a non-empty string in \"event\". mixpanel import --event NAME sets it, --map event=COLUMN takes it from a column."],
  [/only 'event' and 'properties'|not known/i, "Move it into properties, or remove it: only known names are allowed here."],
  [/object|propert/i, "Send the properties as one JSON object of names and values."],
];

export const fixOf = (field: string, message: string) =>
  (fixes.find(([pattern]) => pattern.test(message)) ?? fixes.find(([pattern]) => pattern.test(field)))?.[1] ?? "Correct the record at its source as the reason says, and send it again.";
