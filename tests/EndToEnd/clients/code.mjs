// The console's own code that needs no page.
import { build } from "esbuild";

export async function consoleCode() {
  const source = new URL("../../../src/MixpanelConnector.Console/src/", import.meta.url);
  const made = await build({
    stdin: { contents: 'export * from "./calls.ts"; export * from "./json.ts"; export * from "./fields.ts";', resolveDir: source.pathname, loader: "ts" },
    bundle: true,
    write: false,
    format: "esm",
  });
  return import(`data:text/javascript;base64,${Buffer.from(made.outputFiles[0].text).toString("base64")}`);
}
