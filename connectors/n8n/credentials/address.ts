const loopback = /^(localhost|127(\.\d+){3}|\[::1\])$/;

/** An address to send a secret to, without the slash at its end: https, or http on this machine. */
export function guardedAddress(address: unknown): string {
	const text = String(address ?? '').trim();
	if (!URL.canParse(text)) {
		throw new Error(`"${text}" is not a URL. Include the scheme, such as https://mixpanel.example.com or http://127.0.0.1:8124.`);
	}
	const url = new URL(text);
	if (url.protocol !== 'https:' && !(url.protocol === 'http:' && loopback.test(url.hostname))) {
		throw new Error(`A secret is sent only over https, or over http to this machine: ${url.protocol}//${url.host} is neither.`);
	}
	return text.replace(/\/+$/, '');
}
