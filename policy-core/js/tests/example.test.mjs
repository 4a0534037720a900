// The worked example of policy-core/ABI.md prints what that page says it prints.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const page = readFileSync(new URL("../../ABI.md", import.meta.url), "utf8");
const [, example, expected] = /^\$ node (\S+) target\/assets\/policy\.wasm\n([^`]+)^```/m.exec(page);

test("a host without any package gets the answers of the page", () => {
  const script = fileURLToPath(new URL(`../../../${example}`, import.meta.url));
  const module = join(process.env.PROVISO_POLICY_PACKAGE, "policy.wasm");
  const { status, stdout } = spawnSync(process.execPath, [script, module], { encoding: "utf8" });
  assert.equal(stdout, expected);
  assert.equal(status, 0);
});
