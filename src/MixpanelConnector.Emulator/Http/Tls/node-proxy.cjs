// Loaded before a program of Node.js by NODE_OPTIONS: leads what goes to Mixpanel's hosts by TLS to the proxy that HTTPS_PROXY names,
// whatever library opens the connection. The variable is taken away then: some libraries cannot deal with it, and none needs to.
const tls = require("node:tls");

const proxy = new URL(process.env.HTTPS_PROXY);
delete process.env.HTTPS_PROXY;
delete process.env.https_proxy;

const connect = tls.connect;
tls.connect = function (...args) {
  const options = typeof args[0] === "object" && args[0] !== null ? args[0] : undefined;
  const host = options && (options.servername || options.host || options.hostname);
  if (options && !options.socket && typeof host === "string" && /(^|\.)mixpanel\.com$/i.test(host)) {
    args[0] = { ...options, host: proxy.hostname, port: Number(proxy.port), servername: host };
  }
  return connect.apply(this, args);
};
