// The official SDK of the Model Context Protocol as a client: lists every tool and calls each with the example in its description.
// Arguments: stdio PROGRAM... | http URL [KEY]
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

const [kind, target, ...rest] = process.argv.slice(2);
const transport = kind === "stdio"
  ? new StdioClientTransport({ command: target, args: rest, env: process.env, stderr: "inherit" })
  : new StreamableHTTPClientTransport(new URL(target), { requestInit: { headers: rest[0] ? { Authorization: `Bearer ${rest[0]}` } : {} } });
const client = new Client({ name: "test", version: "1" });
await client.connect(transport);

const { tools } = await client.listTools();
const calls = {};
for (const tool of tools) {
  const example = JSON.parse(tool.description.slice(tool.description.indexOf("Example: ") + "Example: ".length));
  calls[tool.name] = await client.callTool({ name: tool.name, arguments: example }); // checks the answer against the tool's schema
}
const { resources } = await client.listResources();
const read = [];
for (const resource of resources) read.push((await client.readResource({ uri: resource.uri })).contents[0].text.length > 0);
const { resourceTemplates } = await client.listResourceTemplates();
const events = JSON.parse((await client.readResource({ uri: "mixpanel://project/events" })).contents[0].text).names;
const properties = {};
for (const template of resourceTemplates)
  for (const event of events) properties[event] = JSON.parse((await client.readResource({ uri: template.uriTemplate.replace("{event}", encodeURIComponent(event)) })).contents[0].text).properties.map((property) => property.name);
const { prompts } = await client.listPrompts();
await client.close();
console.log(JSON.stringify({ tools: tools.map((tool) => tool.name), calls, resources: read, properties, prompts: prompts.map((prompt) => prompt.name) }));
