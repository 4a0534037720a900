// A conversation of the later era (2026-07-28) by @modelcontextprotocol/client, unmodified: what it heard.
// usage: later_conversation.mjs URL   (TOKEN says by which token; PROVISO_NODE_MODULES where the client is)
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(join(process.env.PROVISO_NODE_MODULES, "conversation.js"));
const { Client, StreamableHTTPClientTransport } = require("@modelcontextprotocol/client");

const headers = process.env.TOKEN ? { authorization: `Bearer ${process.env.TOKEN}` } : {};
const client = new Client(
  { name: "conversation", version: "1.0.0" },
  {
    capabilities: { elicitation: { form: {} }, sampling: {}, roots: {} },
    versionNegotiation: { mode: { pin: "2026-07-28" } },
  },
);
const asked = [];
const answers = (method, answer) => client.setRequestHandler(method, (request) => {
  asked.push(request.params?.message ?? method);
  return answer;
});
answers("elicitation/create", { action: "accept", content: { name: "Ines", ok: true, color: "blue", context: "none" } });
answers("sampling/createMessage", { model: "none", role: "assistant", content: { type: "text", text: "Paris." } });
answers("roots/list", { roots: [{ uri: "file:///srv", name: "srv" }] });
await client.connect(new StreamableHTTPClientTransport(new URL(process.argv[2]), { requestInit: { headers } }));

const tools = (await client.listTools()).tools.map((tool) => tool.name).sort();
const said = [];
const call = async (name, given, options) => said.push(await client.callTool({ name, arguments: given }, options));
await call("test_simple_text", {});
await call("test_multiple_content_types", {});
await call("test_error_handling", {});
// Its argument stands in a header, too: what HTTP cannot carry as it is among them.
await call("test_mirrored", { region: "eu-wést " });
const progress = [];
await call("test_tool_with_progress", {}, { onprogress: (one) => progress.push(one) });
for (const exchange of ["elicitation", "sampling", "list_roots", "request_state", "multiple_inputs", "multi_round"]) {
  await call(`test_input_required_result_${exchange}`, {});
}
said.push(await client.getPrompt({ name: "test_prompt_with_arguments", arguments: { arg1: "a", arg2: "é" } }));
said.push(await client.getPrompt({ name: "test_input_required_result_prompt" }));
said.push(await client.readResource({ uri: "test://template/7/data" }));
said.push(await client.complete({
  ref: { type: "ref/prompt", name: "test_prompt_with_arguments" }, argument: { name: "arg1", value: "par" },
}));
// Whoever subscribed hears of a change.
const heard = new Promise((resolve) => {
  client.setNotificationHandler("notifications/tools/list_changed", () => resolve("tools/list_changed"));
});
const subscription = await client.listen({ toolsListChanged: true });
await call("test_trigger_tool_change", {});
const changed = await heard;
await subscription.close();
const version = client.getNegotiatedProtocolVersion();
await client.close();
process.stdout.write(JSON.stringify({ tools, version, said, asked, progress, changed }));
process.exit(0);
