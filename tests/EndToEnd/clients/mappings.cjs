// Ajv, a JSON Schema validator: tells for each mapping in a JSON list whether the schema accepts it. Arguments: the schema, the list.
const { readFileSync } = require("node:fs");
const Ajv = require("ajv/dist/2020");

const read = (file) => JSON.parse(readFileSync(file, "utf8"));
const validate = new Ajv({ strict: true, allowUnionTypes: true, strictTypes: false, strictRequired: false }).compile(read(process.argv[2]));
console.log(JSON.stringify(read(process.argv[3]).map((mapping) => validate(mapping))));
