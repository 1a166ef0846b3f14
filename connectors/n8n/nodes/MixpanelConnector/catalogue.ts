import generated from './actions.json';

/** What a field of an action takes, in the words of JSON Schema. */
export interface Field {
	title: string;
	type?: string;
	description?: string;
	enum?: Array<string | number>;
	default?: unknown;
	format?: string;
	minimum?: number;
	maximum?: number;
	writeOnly?: boolean;
}

/** The one request of Mixpanel's that an action is. */
export interface Call {
	method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
	path: string;
	has_body: boolean;
	names_project: boolean;
	has_envelope: boolean;
	is_results: boolean;
}

export interface Action {
	name: string;
	title: string;
	action: string;
	about: string;
	effect: string;
	idempotent: boolean;
	reversible: boolean;
	has_secret: boolean;
	may_be_refused: boolean;
	documentation: string;
	example: Record<string, unknown>;
	input: { properties: Record<string, Field>; required?: string[] };
	call?: Call;
}

export interface Group {
	name: string;
	title: string;
	about: string;
	actions: Action[];
}

const documented = generated.groups as unknown as Group[];

export const actions = new Map(documented.flatMap((group) => group.actions).map((action) => [action.name, action]));

/** What most workflows are about comes before the groups, which have it, too. */
const essentials: Group = {
	name: 'essentials',
	title: 'Essentials',
	about: 'The most common operations.',
	actions: ['track_event', 'import_events', 'query_user_profiles', 'get_all_service_accounts', 'create_service_account'].map((name) => actions.get(name)!),
};

export const groups = [essentials, ...documented];

/** The yes to what cannot be undone, a field of the server's. */
export const confirmation = 'confirm';

/** The fields that must be given, and those that may be: what has a default is the server's to fill in. */
export function fieldsOf(action: Action): { required: Array<[string, Field]>; optional: Array<[string, Field]> } {
	const required = (name: string, field: Field) => action.input.required?.includes(name) === true && field.default === undefined;
	const all = Object.entries(action.input.properties);
	return { required: all.filter(([name, field]) => required(name, field)), optional: all.filter(([name, field]) => !required(name, field)) };
}
