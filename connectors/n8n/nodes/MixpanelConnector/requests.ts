import type { IDataObject, IExecuteFunctions, IHttpRequestOptions, IN8nHttpFullResponse, JsonObject } from 'n8n-workflow';
import { NodeApiError, NodeOperationError } from 'n8n-workflow';
import { guardedAddress } from '../../credentials/address';
import { confirmation, fieldsOf, type Action, type Call, type Field } from './catalogue';
import { additionalFields, idempotencyKey, outputSecret } from './properties';

/** The server tries a query twice, for 505 seconds each. */
const timeout = 1_020_000;

/** Carries an action out for an item, and gives its output. */
export async function carryOut(node: IExecuteFunctions, action: Action, itemIndex: number): Promise<IDataObject> {
	const direct = node.getNodeParameter('authentication', itemIndex) === 'mixpanel';
	check(node, action, itemIndex, direct);
	const input = inputOf(node, action, itemIndex);
	const output = direct ? await askMixpanel(node, action, input, itemIndex) : await askServer(node, action, input, itemIndex);
	if (action.may_be_refused && typeof output.error === 'string') {
		throw new NodeApiError(node.getNode(), output as JsonObject, { message: 'Mixpanel rejected data', description: `${output.error} ${JSON.stringify(output)}`, itemIndex });
	}
	return output;
}

/** What is not done without a word of the person who built the workflow. */
function check(node: IExecuteFunctions, action: Action, itemIndex: number, direct: boolean) {
	const refuse = (message: string) => {
		throw new NodeOperationError(node.getNode(), message, { itemIndex });
	};
	// n8n makes a second node of this one for agents, whose type says so.
	const isTool = node.getNode().type.endsWith('Tool');
	if (isTool && !action.reversible) refuse(`${action.title} cannot be undone and is not for agents.`);
	if (isTool && action.has_secret) refuse(`${action.title} returns a secret and is not for agents.`);
	if (action.has_secret && node.getNodeParameter(outputSecret, itemIndex, false) !== true) {
		refuse('The response contains a secret that is shown only once, and n8n stores the output of nodes. Turn on Output Secret and disable saving of execution data in the workflow, or create the account with mixpanel create-service-account --secret-out FILE. Nothing was sent.');
	}
	if (direct && confirmation in action.input.properties && node.getNodeParameter(confirmation, itemIndex, false) !== true) refuse('This cannot be undone: confirm must be true. Nothing was sent.');
	if (direct && !action.call) refuse(`${action.title} requires more than one call of the Mixpanel API: connect to a server (mixpanel serve).`);
}

/** The input of the action: what is required, and of the other fields those that were added. */
function inputOf(node: IExecuteFunctions, action: Action, itemIndex: number): IDataObject {
	const { required, optional } = fieldsOf(action);
	const input: IDataObject = {};
	for (const [name, field] of required) input[name] = valueOf(node, field, node.getNodeParameter(name, itemIndex), itemIndex);
	if (optional.length === 0) return input;
	const added = node.getNodeParameter(additionalFields, itemIndex, {}) as IDataObject;
	for (const [name, field] of optional) if (added[name] !== undefined) input[name] = valueOf(node, field, added[name], itemIndex);
	return input;
}

/** Lists and objects come as text, or as what an expression gave. */
function valueOf(node: IExecuteFunctions, field: Field, value: unknown, itemIndex: number): IDataObject[string] {
	const isJson = !field.enum && field.type !== 'string' && field.type !== 'boolean' && field.type !== 'integer' && field.type !== 'number';
	if (!isJson || typeof value !== 'string') return value as IDataObject[string];
	try {
		return JSON.parse(value) as IDataObject;
	} catch (error) {
		throw new NodeOperationError(node.getNode(), `${field.title} is not JSON: ${(error as Error).message}`, { itemIndex });
	}
}

async function askServer(node: IExecuteFunctions, action: Action, input: IDataObject, itemIndex: number): Promise<IDataObject> {
	const { address } = await node.getCredentials('mixpanelServeApi', itemIndex);
	const key = action.idempotent ? '' : (node.getNodeParameter(idempotencyKey, itemIndex, '') as string);
	const answer = await send(node, 'mixpanelServeApi', itemIndex, {
		method: 'POST',
		url: `${String(address).trim().replace(/\/+$/, '')}/v1/actions/${action.name}`,
		body: input,
		...(key ? { headers: { 'Idempotency-Key': key } } : {}),
	});
	return answer as IDataObject;
}

async function askMixpanel(node: IExecuteFunctions, action: Action, input: IDataObject, itemIndex: number): Promise<IDataObject> {
	const credentials = await node.getCredentials('mixpanelApi', itemIndex);
	const call = action.call as Call;
	const fields: IDataObject = { ...input };
	delete fields[confirmation];
	const path = call.path.replace(/\{(\w+)\}/g, (_, name: string) => {
		const value = name in fields ? fields[name] : name === 'project_id' ? credentials.projectId : '';
		delete fields[name];
		const part = asText(value).trim();
		if (/^\.{0,2}$/.test(part)) throw new NodeOperationError(node.getNode(), `${name} must not be empty or consist only of dots.`, { itemIndex });
		return encodeURIComponent(part);
	});
	const query = new URLSearchParams();
	if (!call.has_body) for (const [name, value] of Object.entries(fields)) query.set(name, asText(value));
	if (call.names_project) query.set('project_id', asText(credentials.projectId));
	const base = credentials.address ? guardedAddress(credentials.address) : `https://${credentials.region as string}`;
	const answer = await send(node, 'mixpanelApi', itemIndex, {
		method: call.method,
		url: `${base}${path}${query.size > 0 ? `?${query.toString()}` : ''}`,
		...(call.has_body ? { body: fields } : {}),
	});
	const isObject = typeof answer === 'object' && answer !== null && !Array.isArray(answer);
	const result = call.has_envelope && isObject && 'results' in answer ? answer.results : answer;
	if (!call.is_results) return result as IDataObject;
	return { results: result ?? [], ...(Array.isArray(result) || result === null ? { total: result?.length ?? 0 } : {}) } as IDataObject;
}

const asText = (value: unknown) => (typeof value === 'string' ? value : value === undefined || value === null ? '' : JSON.stringify(value));

/** Sends a request, and gives the JSON of a success. */
async function send(node: IExecuteFunctions, credential: string, itemIndex: number, request: IHttpRequestOptions): Promise<unknown> {
	const options: IHttpRequestOptions = { ...request, json: true, timeout, returnFullResponse: true, ignoreHttpStatusErrors: true, disableFollowRedirect: true };
	let response: IN8nHttpFullResponse;
	try {
		response = (await node.helpers.httpRequestWithAuthentication.call(node, credential, options)) as IN8nHttpFullResponse;
	} catch (error) {
		throw new NodeApiError(node.getNode(), error as JsonObject, { itemIndex });
	}
	const { statusCode, body } = response;
	if (statusCode >= 200 && statusCode < 300 && typeof body === 'object' && body !== null) return body;
	const problem = (typeof body === 'object' && body !== null ? body : {}) as IDataObject;
	throw new NodeApiError(node.getNode(), { ...problem, httpCode: String(statusCode) } as JsonObject, {
		httpCode: String(statusCode),
		message: asText(problem.title ?? problem.error ?? `The response with status ${statusCode} is not from Mixpanel`),
		description: [problem.field ? `${asText(problem.field)}: ` : '', asText(problem.detail ?? problem.details ?? '')].join('').trim(),
		itemIndex,
	});
}
