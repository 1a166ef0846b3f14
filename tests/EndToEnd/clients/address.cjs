// Loaded before a client whose address cannot be changed: leads Mixpanel's hosts to 127.0.0.1 and the port in TLS_PORT.
const tls = require("node:tls");

const connect = tls.connect;
tls.connect = function (options, ...rest) {
  const host = options && (options.host || options.hostname);
  if (typeof host === "string" && /(^|\.)mixpanel\.com$/.test(host)) {
    options = { ...options, host: "127.0.0.1", port: Number(process.env.TLS_PORT), servername: host };
  }
  return connect.call(this, options, ...rest);
};
