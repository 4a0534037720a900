// cedar-wasm with schema and policies preparsed: says once what it answers, then how long so many questions take.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { join } from "node:path";

const folder = process.argv[2];
const require = createRequire(join(process.env.PROVISO_BENCH_CEDAR_WASM, "package.json"));
const cedar = require("@cedar-policy/cedar-wasm/nodejs");
const text = (name) => readFileSync(join(folder, name), "utf8");

const parsed = [
  cedar.preparsePolicySet("policies", { staticPolicies: text("policies.cedar"), templates: {}, templateLinks: [] }),
  cedar.preparseSchema("schema", text("schema.cedarschema")),
];
for (const answer of parsed) if (answer.type !== "success") throw new Error(JSON.stringify(answer));

const question = text("question.json");
const ask = () =>
  cedar.statefulIsAuthorized({
    ...JSON.parse(question),
    preparsedPolicySetId: "policies",
    preparsedSchemaName: "schema",
    validateRequest: true,
  });

const first = ask();
if (first.type !== "success") throw new Error(JSON.stringify(first));
console.log(first.response.decision === "allow" ? "permit" : "deny");
for await (const line of createInterface({ input: process.stdin })) {
  const begun = process.hrtime.bigint();
  for (let call = 0; call < Number(line); call++) ask();
  console.log(String(process.hrtime.bigint() - begun));
}
