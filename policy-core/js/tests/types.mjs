// Holds index.d.ts against the golden cases: node policy-core/js/tests/types.mjs PATH/TO/typescript/bin/tsc
//
// Every input and answer that the module took well is written as a literal of its declared type and checked by tsc, so a
// member that the declarations lack, or have too much, is an error. Nothing is left behind.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { golden, methods } from "./vectors.mjs";

const declarations = fileURLToPath(new URL("../package/index.d.ts", import.meta.url));
const lines = golden
  .flatMap(({ steps }) => steps)
  .map(({ op, input, answer }) => ({ op, input, ok: JSON.parse(answer).ok }))
  .filter(({ ok }) => ok !== undefined)
  .map(({ op, input, ok }) => `((answer: ReturnType<PolicyModule["${methods[op]}"]>) => policy.${methods[op]}(${input}))(${JSON.stringify(ok)});`);

// What must not pass: a word that no outcome is, a misspelt member, an empty list of conditions.
const wrong = [
  `const outcome: Outcome = "permitted";`,
  `policy.compile({ v: 1, gant: grant });`,
  `const scope: Scope["arguments"] = [];`,
];
const head = `import type { Grant, Outcome, PolicyModule, Scope } from ${JSON.stringify(declarations.replace(/\.d\.ts$/, ".js"))};
declare const policy: PolicyModule;
declare const grant: Grant;
`;

const folder = mkdtempSync(join(tmpdir(), "proviso-types-"));
try {
  const file = join(folder, "golden.ts");
  writeFileSync(file, head + [...new Set(lines), ...wrong.map((line) => `// @ts-expect-error\n${line}`)].join("\n"));
  const flags = ["--noEmit", "--strict", "--exactOptionalPropertyTypes", "--module", "nodenext", "--target", "es2022"];
  const { status } = spawnSync(process.execPath, [process.argv[2], ...flags, file], { stdio: "inherit" });
  console.log(`${lines.length} golden calls held against the declarations`);
  process.exitCode = status === 0 && lines.length >= 40 ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true });
}
