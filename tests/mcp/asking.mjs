// A tool server that asks how much in the middle of a call, in both eras, and writes down every line that reaches it.
// usage: asking.mjs LOG
import { appendFileSync } from "node:fs";
import { createInterface } from "node:readline";

const [log] = process.argv.slice(2);
const say = (message) => process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
const text = (value) => [{ type: "text", text: value }];
const schema = { type: "object", properties: { amount: { type: "integer" } }, required: ["amount"] };
const question = { method: "elicitation/create", params: { message: "How much?", requestedSchema: schema } };
let asking;

for await (const line of createInterface({ input: process.stdin })) {
  appendFileSync(log, `${line}\n`);
  const message = JSON.parse(line);
  const { id, method, params } = message;
  const later = params?._meta?.["io.modelcontextprotocol/protocolVersion"] !== undefined;
  const answer = (result) => say({ id, result: later ? { resultType: "complete", ...result } : result });
  if (method === "tools/list") {
    answer({ tools: [{ name: "transfer", inputSchema: { type: "object" } }] });
  } else if (method === "tools/call" && later) {
    if (params.inputResponses) answer({ content: text(JSON.stringify(params.inputResponses.amount)) });
    else answer({ resultType: "input_required", inputRequests: { amount: question }, requestState: "s1" });
  } else if (method === "tools/call") {
    asking = id;
    say({ id: "ask-1", ...question });
  } else if (id === "ask-1") {
    const { result, error } = message;
    say({ id: asking, result: error ? { isError: true, content: text("nothing moved") } : { content: text(JSON.stringify(result)) } });
  }
}
