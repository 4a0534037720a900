// Holds index.d.ts against the golden cases, with the compiler that tests/e2e installs.
//
// Every input and answer that the module took well is written as a literal of its declared type and checked by tsc, so a
// member that the declarations lack, or have too much, is an error.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { golden, methods } from "./vectors.mjs";

const compiler = createRequire(new URL("../../../tests/e2e/package.json", import.meta.url)).resolve("typescript/bin/tsc");
const declarations = fileURLToPath(new URL("../package/index.js", import.meta.url));

/** A call with its answer, as TypeScript. */
const call = ({ op, input, ok }) =>
  `((answer: ReturnType<PolicyModule["${methods[op]}"]>) => policy.${methods[op]}(${input}))(${JSON.stringify(ok)});`;

// What must not pass: a word that no outcome is, a misspelt member, an empty list of conditions.
const wrong = [
  `const outcome: Outcome = "permitted";`,
  `policy.compile({ v: 1, gant: grant });`,
  `const scope: Scope["arguments"] = [];`,
];

const head = `import type { Grant, Outcome, PolicyModule, Scope } from ${JSON.stringify(declarations)};
declare const policy: PolicyModule;
declare const grant: Grant;
`;

test("the declarations say what the module takes and answers", () => {
  const answered = golden
    .flatMap(({ steps }) => steps)
    .map(({ op, input, answer }) => ({ op, input, ok: JSON.parse(answer).ok }))
    // A question of another version is answered (`unknown_version`), and the declarations rightly do not know it.
    .filter(({ ok }) => ok !== undefined && ok.reason !== "unknown_version");
  assert.ok(answered.length >= 40);
  const lines = [...new Set(answered.map(call)), ...wrong.map((line) => `// @ts-expect-error\n${line}`)];
  const folder = mkdtempSync(join(tmpdir(), "proviso-types-"));
  try {
    const file = join(folder, "golden.ts");
    writeFileSync(file, head + lines.join("\n"));
    const flags = ["--noEmit", "--strict", "--exactOptionalPropertyTypes", "--module", "nodenext", "--target", "es2022"];
    const { status, stdout } = spawnSync(process.execPath, [compiler, ...flags, file], { encoding: "utf8" });
    assert.equal(stdout, "");
    assert.equal(status, 0);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
