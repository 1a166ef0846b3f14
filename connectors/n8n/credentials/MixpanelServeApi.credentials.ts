import type { ICredentialDataDecryptedObject, ICredentialTestRequest, ICredentialType, Icon, IHttpRequestOptions, INodeProperties } from 'n8n-workflow';
import { guardedAddress } from './address';

export class MixpanelServeApi implements ICredentialType {
	name = 'mixpanelServeApi';

	displayName = 'Mixpanel Connector Server API';

	icon: Icon = { light: 'file:../icons/mixpanel-connector.svg', dark: 'file:../icons/mixpanel-connector.dark.svg' };

	documentationUrl = 'https://developer.mixpanel.com/reference/overview';

	properties: INodeProperties[] = [
		{
			displayName: 'URL',
			name: 'address',
			type: 'string',
			default: 'http://127.0.0.1:8124',
			required: true,
			description: 'The URL of mixpanel serve: https, or http on the machine that n8n runs on',
		},
		{
			displayName: 'API Key',
			name: 'apiKey',
			type: 'string',
			typeOptions: { password: true },
			default: '',
			description: 'A key created with mixpanel serve new-key. A server on loopback without keys requires none.',
		},
	];

	async authenticate(credentials: ICredentialDataDecryptedObject, request: IHttpRequestOptions): Promise<IHttpRequestOptions> {
		if (!credentials.apiKey) return request;
		guardedAddress(credentials.address);
		return { ...request, headers: { ...request.headers, Authorization: `Bearer ${credentials.apiKey as string}` } };
	}

	test: ICredentialTestRequest = {
		request: {
			baseURL: '={{$credentials.address.trim().replace(/[/]+$/, "")}}',
			url: '/v1/server',
		},
	};
}
