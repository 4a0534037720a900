// A conversation with server-everything over Streamable HTTP by @modelcontextprotocol/client, unmodified: what it heard.
// usage: http_conversation.mjs URL   (TOKEN says by which token; PROVISO_NODE_MODULES where the client is)
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(join(process.env.PROVISO_NODE_MODULES, "conversation.js"));
const { Client, StreamableHTTPClientTransport } = require("@modelcontextprotocol/client");

const headers = process.env.TOKEN ? { authorization: `Bearer ${process.env.TOKEN}` } : {};
const client = new Client({ name: "conversation", version: "1.0.0" }, { capabilities: { elicitation: { form: {} }, sampling: {} } });
client.setRequestHandler("elicitation/create", () => ({ action: "accept", content: { name: "Ines", check: true } }));
client.setRequestHandler("sampling/createMessage", () => ({
  model: "none", role: "assistant", content: { type: "text", text: "A message." },
}));
await client.connect(new StreamableHTTPClientTransport(new URL(process.argv[2]), { requestInit: { headers } }));

const tools = (await client.listTools()).tools.map((tool) => tool.name).sort();
const said = [];
const call = async (name, given) => said.push(await client.callTool({ name, arguments: given }));
await call("echo", { message: "é \u{1f600} \"quoted\" \\ / \n" });
await call("get-sum", { a: 1.5, b: -2e-7 });
await call("get-structured-content", { location: "Chicago" });
await call("trigger-long-running-operation", { duration: 0.2, steps: 2 });
await call("trigger-elicitation-request", {});
await call("trigger-sampling-request", { prompt: "Say." });
said.push(await client.getPrompt({ name: "args-prompt", arguments: { city: "Kyoto" } }));
said.push(await client.readResource({ uri: "demo://resource/static/document/architecture.md" }));
await client.close();
process.stdout.write(JSON.stringify({ tools, said }));
process.exit(0);
