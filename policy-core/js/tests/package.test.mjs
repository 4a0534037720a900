// The assembled npm package in Node: PROVISO_POLICY_PACKAGE=FOLDER node --test policy-core/js/tests/package.test.mjs
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";

import { golden, methods } from "./vectors.mjs";

const folder = resolve(process.env.PROVISO_POLICY_PACKAGE);
const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
const entry = (condition) => pathToFileURL(join(folder, manifest.exports["."][condition])).href;

// Node's fetch reads no files; a browser's server would answer like this.
globalThis.fetch = async (url) => new Response(readFileSync(url), { headers: { "content-type": "application/wasm" } });

const bytes = readFileSync(join(folder, "policy.wasm"));
const digest = createHash("sha256").update(bytes).digest("hex");
const builds = { node: await import(entry("node")), web: await import(entry("default")) };

for (const [build, { PolicyModule }] of Object.entries(builds)) {
  test(`${build}: every golden case is answered with the same bytes`, () => {
    assert.ok(golden.length >= 40);
    for (const { name, steps } of golden) {
      const module = PolicyModule.fromBytes(bytes, digest);
      for (const { op, input, answer } of steps) {
        const given = Buffer.from(module.call(op, Buffer.from(input))).toString();
        assert.equal(given, answer, name);
      }
      module.free();
    }
  });

  test(`${build}: plain objects get the same answers as bytes, and refusals keep their code`, () => {
    let answered = 0;
    for (const { name, steps } of golden) {
      const module = PolicyModule.fromBytes(bytes, digest);
      for (const { op, input, answer } of steps) {
        const { ok, error } = JSON.parse(answer);
        if (ok !== undefined) {
          assert.deepEqual(module[methods[op]](JSON.parse(input)), ok, name);
          answered += 1;
        } else if (error.code === "bad_bundle" || error.code === "bad_grant" || error.code === "not_loaded") {
          assert.throws(() => module[methods[op]](JSON.parse(input)), { name: "PolicyError", code: error.code }, name);
        }
      }
      module.free();
    }
    assert.ok(answered >= 40);
  });

  test(`${build}: other bytes than those that were asked for do not start`, () => {
    const changed = Uint8Array.from(bytes);
    changed[changed.length >> 1] ^= 1;
    assert.throws(() => PolicyModule.fromBytes(changed, digest), { name: "PolicyError", code: "digest_mismatch" });
    assert.throws(() => PolicyModule.fromBytes(bytes, digest.toUpperCase()), { code: "bad_input" });
    assert.throws(() => PolicyModule.fromBytes(bytes, ""), { code: "bad_input" });
    assert.throws(() => PolicyModule.fromBytes(bytes));
    assert.throws(() => new PolicyModule().call(1, bytes));
  });

  test(`${build}: a module with an import does not start`, () => {
    // (module (import "e" "f" (func)))
    const import_ = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 2, 7, 1, 1, 101, 1, 102, 0, 0);
    assert.ok(WebAssembly.validate(import_));
    const digestOfImport = createHash("sha256").update(import_).digest("hex");
    assert.throws(() => PolicyModule.fromBytes(import_, digestOfImport), { code: "has_imports" });
  });
}
