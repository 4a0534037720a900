// A host of policy.wasm in plain Node: node tests/golden/abi_example.mjs target/assets/policy.wasm
//
// policy-core/ABI.md describes what happens here. A real host has the module's digest from somewhere it trusts, and the
// bundle's from where the bundle was accepted.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

// The module. It imports nothing, so there is nothing to hand to it.
const module = new WebAssembly.Module(readFileSync(process.argv[2]));
const { memory, abi, alloc, free, call } = new WebAssembly.Instance(module).exports;
if (abi() !== 1) throw new Error(`the module speaks version ${abi()} of the boundary`);

/** One operation: an object in, an object out. */
function ask(op, input) {
  const bytes = Buffer.from(canonical(input));
  const at = alloc(bytes.length) >>> 0;
  new Uint8Array(memory.buffer, at, bytes.length).set(bytes);
  const packed = BigInt.asUintN(64, call(op, at, bytes.length));
  free(at, bytes.length);
  if (packed === 0n) throw new Error("no answer: drop the instance");
  const [start, length] = [Number(packed >> 32n), Number(packed & 0xffff_ffffn)];
  const text = Buffer.from(memory.buffer, start, length).toString();
  free(start, length);
  const answer = JSON.parse(text);
  if (answer.error) throw new Error(`${answer.error.code}: ${answer.error.message}`);
  return answer.ok;
}

/** RFC 8785 for what this example holds: members sorted, no white space. */
function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const members = Object.keys(value).sort();
  return `{${members.map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join(",")}}`;
}

const files = {
  "bundle.toml": `
    tiers = ["low"]
    step_ups = ["link"]
    [types]
    person = "User"
    subjects = ["Agent"]
  `,
  "schema.cedarschema": `
    entity User, Agent;
    entity Folder;
    entity File in [Folder];
    action read appliesTo { principal: [Agent], resource: [File] };
  `,
  "scope/notes.cedar": `
    @id("notes-may-be-read")
    permit (principal is Agent, action == Action::"read", resource in Folder::"/notes");
  `,
  "guardrails/payroll.cedar": `
    @id("payroll-is-closed")
    forbid (principal, action, resource in Folder::"/payroll");
  `,
};
const bundle = sha256(canonical(files));
ask(1, { v: 1, files, bundle });

for (const [folder, name] of [["/notes", "/notes/today"], ["/payroll", "/payroll/may"], ["/", "/elsewhere"]]) {
  const subject = { type: "Agent", id: "writer" };
  const file = { type: "File", id: name };
  const inFolder = { type: "Folder", id: folder };
  const question = {
    v: 1,
    purpose: "question",
    bundle,
    now: "2026-11-22T16:00:00.000Z",
    task: "TASK-1",
    chain: [],
    call: { subject, action: "read", resources: [file], input_digest: sha256("null"), typed: false },
    context: {},
    entities: [
      { uid: subject, attrs: {}, parents: [], source: "bundle" },
      { uid: file, attrs: {}, parents: [inFolder], source: "bundle" },
      { uid: inFolder, attrs: {}, parents: [], source: "bundle" },
    ],
    candidates: [],
    locks: [],
    requested: { duration: "0s", uses: 1, held_grants: 0, held_uses: 0, held_sum: 0, emergency: false },
  };
  const { outcome, reason, policies } = ask(2, { v: 1, question });
  const by = policies.length > 0 ? ` by ${policies.join(", ")}` : "";
  console.log(`read ${name}: ${outcome} (${reason})${by}`);
}
