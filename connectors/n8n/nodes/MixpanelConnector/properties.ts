import type { INodeProperties, INodePropertyOptions } from 'n8n-workflow';
import { confirmation, fieldsOf, groups, type Action, type Field, type Group } from './catalogue';

type Way = 'serve' | 'mixpanel';

/** What an action asks for beside its input has names that no field of an input has. */
export const idempotencyKey = 'idempotencyKey';
export const additionalFields = 'additionalFields';
export const outputSecret = 'outputSecret';

const words = (text: string) => text.split(/[-_]/).map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join(' ');

/** n8n ends no single sentence with a full stop. */
const sentence = (text: string) => (text.indexOf('. ') < 0 ? text.replace(/\.$/, '') : text);

function description(name: string, field: Field): string {
	if (name === confirmation) return 'Whether to confirm that this cannot be undone: must be turned on';
	const range = field.minimum !== undefined && field.maximum !== undefined ? ` From ${field.minimum} to ${field.maximum}.` : '';
	return sentence(`${field.description ?? field.title}${range}`);
}

/** A field of the input as n8n asks for it. Lists and objects are JSON. */
function property(name: string, field: Field, required: boolean, example: unknown): INodeProperties {
	const base = { displayName: field.title, name, description: description(name, field), ...(required ? { required } : {}) };
	if (field.enum) {
		const options = field.enum.map((value) => ({ name: words(String(value)), value }));
		return { ...base, type: 'options', options, default: field.default === undefined ? field.enum[0] : (field.default as string) };
	}
	switch (field.type) {
		case 'boolean':
			return { ...base, type: 'boolean', default: false };
		case 'integer':
		case 'number':
			return { ...base, type: 'number', default: field.minimum ?? 0 };
		case 'string':
			return {
				...base,
				type: 'string',
				default: (field.default as string) ?? '',
				...(field.writeOnly ? { typeOptions: { password: true } } : name === 'script' || name === 'csv' ? { typeOptions: { rows: 6 } } : {}),
				...(field.format === 'date' ? { placeholder: '2026-01-31' } : {}),
			};
		default:
			return { ...base, type: 'json', default: field.type === 'array' ? '[]' : '{}', ...(example === undefined ? {} : { hint: `For example ${JSON.stringify(example)}` }) };
	}
}

/** What n8n shows for an action, wherever it is chosen. */
function ofAction(action: Action, resources: string[]): INodeProperties[] {
	const displayOptions = { show: { resource: resources, operation: [action.name] } };
	const { required, optional } = fieldsOf(action);
	const shown = required.map(([name, field]): INodeProperties => ({ ...property(name, field, true, action.example[name]), displayOptions }));
	if (action.has_secret) {
		shown.push({
			displayName: 'Output Secret',
			name: outputSecret,
			type: 'boolean',
			default: false,
			description: 'Whether to output the one-time secret, which n8n may store with the execution. If turned off, nothing is sent, because the secret cannot be retrieved later.',
			displayOptions,
		});
	}
	if (optional.length > 0) {
		shown.push({
			displayName: 'Additional Fields',
			name: additionalFields,
			type: 'collection',
			placeholder: 'Add Field',
			default: {},
			options: optional.map(([name, field]) => property(name, field, false, action.example[name])).sort((one, other) => one.displayName.localeCompare(other.displayName, 'en')),
			displayOptions,
		});
	}
	if (!action.idempotent) {
		shown.push({
			displayName: 'Idempotency Key',
			name: idempotencyKey,
			type: 'string',
			default: '',
			description: 'A name for this one request, so that Retry On Fail carries it out once: the server answers alike for 24 hours, without a one-time secret',
			hint: 'For example signup-{{ $execution.id }}-{{ $itemIndex }}',
			displayOptions: { show: { ...displayOptions.show, authentication: ['serve'] } },
		});
	}
	return shown;
}

const offered = (way: Way, group: Group) => group.actions.filter((action) => way === 'serve' || action.call);

/** A list to choose from, whose first entry is the default. */
function choice(displayName: string, name: string, options: INodePropertyOptions[], show: Record<string, string[]>): INodeProperties {
	const [{ value }] = options;
	return { ...{ displayName, name, noDataExpression: true, options, displayOptions: { show } }, type: 'options', default: value };
}

function operations(way: Way, group: Group): INodeProperties {
	const options = offered(way, group).map(
		(action): INodePropertyOptions => ({
			name: action.reversible ? action.title : `${action.title} (Cannot Be Undone)`,
			value: action.name,
			action: action.reversible ? action.action : `${action.action} cannot be undone`,
			description: sentence(action.about),
		}),
	);
	return choice('Operation', 'operation', options, { authentication: [way], resource: [group.name] });
}

function resources(way: Way): INodeProperties {
	const options = groups.filter((group) => offered(way, group).length > 0).map((group): INodePropertyOptions => ({ name: group.title, value: group.name, description: sentence(group.about) }));
	return choice('Resource', 'resource', options, { authentication: [way] });
}

const ways: Way[] = ['serve', 'mixpanel'];

const places = new Map<Action, string[]>();
for (const group of groups) for (const action of group.actions) places.set(action, [...(places.get(action) ?? []), group.name]);

export const properties: INodeProperties[] = [
	...ways.map(resources),
	...ways.flatMap((way) => groups.filter((group) => offered(way, group).length > 0).map((group) => operations(way, group))),
	...[...places].flatMap(([action, resources]) => ofAction(action, resources)),
];
