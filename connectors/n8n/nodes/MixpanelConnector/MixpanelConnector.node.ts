import type { IExecuteFunctions, INodeExecutionData, INodeType, INodeTypeDescription, JsonObject } from 'n8n-workflow';
import { NodeApiError, NodeConnectionTypes, NodeOperationError } from 'n8n-workflow';
import { actions } from './catalogue';
import { properties } from './properties';
import { carryOut } from './requests';

export class MixpanelConnector implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Mixpanel Connector',
		name: 'mixpanelConnector',
		icon: { light: 'file:../../icons/mixpanel-connector.svg', dark: 'file:../../icons/mixpanel-connector.dark.svg' },
		group: ['transform'],
		version: 1,
		subtitle: '={{$parameter["operation"]}}',
		description: 'Track and import events, query profiles and reports, and use the rest of the public API of Mixpanel',
		defaults: { name: 'Mixpanel Connector' },
		usableAsTool: true,
		inputs: [NodeConnectionTypes.Main],
		outputs: [NodeConnectionTypes.Main],
		sensitiveOutputFields: ['secret'],
		credentials: [
			{ name: 'mixpanelServeApi', required: true, displayOptions: { show: { authentication: ['serve'] } } },
			{ name: 'mixpanelApi', required: true, displayOptions: { show: { authentication: ['mixpanel'] } } },
		],
		properties: [
			{
				displayName: 'Connect To',
				name: 'authentication',
				type: 'options',
				options: [
					{ name: 'Mixpanel Itself', value: 'mixpanel', description: 'Operations that are a single call of the Mixpanel API, with a service account' },
					{ name: 'Server (Mixpanel Serve)', value: 'serve', description: 'Every operation, validated before anything is sent' },
				],
				default: 'serve',
			},
			...properties,
		],
	};

	async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
		const given = this.getInputData();
		const made: INodeExecutionData[] = [];
		for (let item = 0; item < given.length; item++) {
			try {
				const action = actions.get(this.getNodeParameter('operation', item) as string);
				if (!action) throw new NodeOperationError(this.getNode(), 'This operation does not exist.', { itemIndex: item });
				made.push({ json: await carryOut(this, action, item), pairedItem: { item } });
			} catch (error) {
				const known = error instanceof NodeApiError || error instanceof NodeOperationError ? error : new NodeApiError(this.getNode(), error as JsonObject, { itemIndex: item });
				if (!this.continueOnFail()) throw known;
				// Of an item that has the error itself, n8n shows its message alone.
				made.push({ json: { error: [known.message, known.description].filter(Boolean).join(': ') }, pairedItem: { item } });
			}
		}
		return [made];
	}
}
