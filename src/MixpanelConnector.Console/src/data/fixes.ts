/** What to do about a refused record, by the reason. */
const fixes: [pattern: RegExp, fix: string][] = [
  [/older than five days|older than/i, "/track takes events of the last five days alone. Send older ones to /import: mixpanel import, or the page Imports."],
  [/\$ignore/i, "The sender marked it with $ignore: Mixpanel drops such records on purpose. Leave the property out to keep it."],
  [/token/i, "Send the token of the project that the records are for, as in the settings of the project."],
  [/future|time/i, "Give the time as seconds or milliseconds since 1970, UTC, from 1971 on and not in the future. mixpanel import --fix time reads other forms."],
  [/insert_id/i, "$insert_id takes 1 to 36 letters, digits and hyphens. mixpanel import --fix insert-ids makes such ones, the same for the same record."],
  [/distinct_id|group_id/i, "Every record needs an id of whom it is about: a text that is not empty, and none of the placeholders that Mixpanel refuses, such as null or undefined. mixpanel import --fix ids repairs them, --map distinct_id=COLUMN names the column."],
  [/too deep|nest/i, "Flatten what is nested, or send it as text."],
  [/smaller than|at most .*bytes|too large/i, "Send less in one record: leave large texts out, or cut them. mixpanel import --drop NAME leaves a property out."],
  [/at most .*propert/i, "Leave properties out, or put several of them into one object. mixpanel import --drop NAME leaves one out."],
  [/^event\b|'event'/i, "Every event needs a name: a text under \"event\" that is not empty. mixpanel import --event NAME gives it, --map event=COLUMN names the column."],
  [/only 'event' and 'properties'|not known/i, "Put it into properties, or leave it out: this place takes known names alone."],
  [/object|propert/i, "Send the properties as one JSON object of names and values."],
];

export const fixOf = (field: string, message: string) =>
  (fixes.find(([pattern]) => pattern.test(message)) ?? fixes.find(([pattern]) => pattern.test(field)))?.[1] ?? "Compare the record with what the reason asks for, change it where it is made, and send it again.";
