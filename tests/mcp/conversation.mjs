// A conversation with server-everything by @modelcontextprotocol/client, unmodified.
// usage: conversation.mjs COMMAND ARGUMENT…   (the server to start; PROVISO_NODE_MODULES says where the client is)
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(join(process.env.PROVISO_NODE_MODULES, "conversation.js"));
const { Client } = require("@modelcontextprotocol/client");
const { StdioClientTransport } = require("@modelcontextprotocol/client/stdio");

const [command, ...args] = process.argv.slice(2);
const client = new Client({ name: "conversation", version: "1.0.0" }, { capabilities: { elicitation: { form: {} }, sampling: {} } });
client.setRequestHandler("elicitation/create", () => ({ action: "accept", content: { name: "Ines", check: true } }));
client.setRequestHandler("sampling/createMessage", () => ({
  model: "none", role: "assistant", content: { type: "text", text: "A message." },
}));
await client.connect(new StdioClientTransport({ command, args, env: { PATH: process.env.PATH }, stderr: "ignore" }));

await client.listTools();
const call = (name, given) => client.callTool({ name, arguments: given });
await call("echo", { message: "é \u{1f600} \"quoted\" \\ / \n" });
await call("get-sum", { a: 1.5, b: -2e-7 });
await call("get-tiny-image", {});
await call("get-structured-content", { location: "Chicago" });
await call("get-annotated-message", { messageType: "error", includeImage: false });
await call("get-sum", { a: "one" }).catch(() => undefined);
await call("trigger-long-running-operation", { duration: 0.2, steps: 2 });
await call("trigger-elicitation-request", {});
await call("trigger-sampling-request", { prompt: "Say." });
await client.listResources();
await client.listResourceTemplates();
await client.readResource({ uri: "demo://resource/static/document/architecture.md" });
await client.readResource({ uri: "demo://nothing" }).catch(() => undefined);
await client.listPrompts();
await client.getPrompt({ name: "args-prompt", arguments: { city: "Kyoto" } });
await client.complete({ ref: { type: "ref/prompt", name: "completable-prompt" }, argument: { name: "department", value: "S" } });
await client.setLoggingLevel("warning");
await client.close();
