// Spectral with its recommended ruleset for OpenAPI: prints what it finds in a document, as JSON. Argument: the document.
const { readFileSync } = require("node:fs");
const { Spectral } = require("@stoplight/spectral-core");
const { oas } = require("@stoplight/spectral-rulesets");

(async () => {
  const spectral = new Spectral();
  spectral.setRuleset({ extends: [[oas, "recommended"]] });
  const found = await spectral.run(JSON.parse(readFileSync(process.argv[2], "utf8")));
  console.log(JSON.stringify(found.map(({ code, message, path, severity }) => ({ code, severity, at: path.join("/"), message }))));
})().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
