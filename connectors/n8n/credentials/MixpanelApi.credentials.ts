import type { ICredentialDataDecryptedObject, ICredentialTestRequest, ICredentialType, Icon, IHttpRequestOptions, INodeProperties } from 'n8n-workflow';
import { guardedAddress } from './address';

export class MixpanelApi implements ICredentialType {
	name = 'mixpanelApi';

	displayName = 'Mixpanel API';

	icon: Icon = { light: 'file:../icons/mixpanel-connector.svg', dark: 'file:../icons/mixpanel-connector.dark.svg' };

	documentationUrl = 'https://developer.mixpanel.com/reference/service-accounts';

	properties: INodeProperties[] = [
		{
			displayName: 'Service Account',
			name: 'username',
			type: 'string',
			default: '',
			required: true,
			description: 'The username of the service account',
		},
		{
			displayName: 'Secret',
			name: 'secret',
			type: 'string',
			typeOptions: { password: true },
			default: '',
			required: true,
			description: 'The secret of the service account',
		},
		{
			displayName: 'Project ID',
			name: 'projectId',
			type: 'string',
			default: '',
			required: true,
			description: 'The ID of the project, as shown in its settings',
		},
		{
			displayName: 'Region',
			name: 'region',
			type: 'options',
			options: [
				{ name: 'European Union', value: 'eu.mixpanel.com' },
				{ name: 'India', value: 'in.mixpanel.com' },
				{ name: 'United States', value: 'mixpanel.com' },
			],
			default: 'mixpanel.com',
			description: 'Where Mixpanel stores the data of the project',
		},
		{
			displayName: 'URL Instead of Mixpanel',
			name: 'address',
			type: 'string',
			default: '',
			description: 'For example of the embedded Mixpanel: https, or http on the machine that n8n runs on. Leave empty to use Mixpanel itself.',
		},
	];

	async authenticate(credentials: ICredentialDataDecryptedObject, request: IHttpRequestOptions): Promise<IHttpRequestOptions> {
		if (credentials.address) guardedAddress(credentials.address);
		return { ...request, auth: { username: credentials.username as string, password: credentials.secret as string } };
	}

	test: ICredentialTestRequest = {
		request: {
			baseURL: '={{$credentials.address.trim().replace(/[/]+$/, "") || "https://" + $credentials.region}}',
			url: '/api/app/me',
		},
	};
}
