// Assembles the npm package: node policy-core/js/package/build.mjs OUT
//
// OUT is made anew. It gets the glue for Node and for browsers from one build, the hand-written files of this folder, and
// policy.wasm from PROVISO_ASSETS (target/assets when unset). Needs cargo and wasm-bindgen of the version in Cargo.lock.
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const root = resolve(here, "../../..");
const assets = process.env.PROVISO_ASSETS ?? join(root, "target/assets");

if (process.argv.length !== 3) {
  console.error("usage: node build.mjs OUT");
  process.exit(64);
}
const out = resolve(process.argv[2]);

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
const glue = builtGlue();
for (const target of ["nodejs", "web"]) {
  const folder = join(out, target === "nodejs" ? "node" : target);
  run("wasm-bindgen", ["--target", target, "--no-typescript", "--remove-name-section", "--out-dir", folder, glue]);
}
// wasm-bindgen writes CommonJS for Node, in a package whose other files are ES modules.
renameSync(join(out, "node/policy_js.js"), join(out, "node/policy_js.cjs"));
for (const name of ["README.md", "index.d.ts", "node.js", "package.json", "web.js"]) {
  copyFileSync(join(here, name), join(out, name));
}
copyFileSync(join(assets, "policy.wasm"), join(out, "policy.wasm"));
console.log(out);

/** Builds the glue as a library of its own and says where cargo put it. */
function builtGlue() {
  const build = ["rustc", "--package", "policy-js", "--lib", "--crate-type", "cdylib", "--profile", "browser"];
  const target = ["--target", "wasm32-unknown-unknown", "--locked", "--message-format", "json-render-diagnostics"];
  const messages = run("cargo", [...build, ...target]).trim().split("\n").map((line) => JSON.parse(line));
  const artifact = messages.find((message) => message.reason === "compiler-artifact" && message.target.name === "policy_js");
  return artifact.filenames.find((name) => name.endsWith(".wasm"));
}

/** Runs a command in the workspace and gives its output; where it fails, so does this script. */
function run(program, args) {
  const options = { cwd: root, encoding: "utf8", maxBuffer: 2 ** 26, stdio: ["ignore", "pipe", "inherit"] };
  const { error, status, stdout } = spawnSync(program, args, options);
  if (error || status !== 0) {
    console.error(error ? `${program}: ${error.message}` : `${program} ended with ${status}`);
    process.exit(1);
  }
  return stdout;
}
