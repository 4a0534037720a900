// Where things are. `cargo xtask test` says so by environment variables; by hand the defaults do.
import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));

/** The root of the clone. */
export const ROOT = resolve(here, "../../..");
/** Where builds and pictures go. */
export const TARGET = process.env["CARGO_TARGET_DIR"] ?? join(ROOT, "target");
/** The real server. */
export const PROVISO = process.env["PROVISO_BINARY"] ?? join(TARGET, "debug/proviso");
/** Debian's browser. */
export const CHROMIUM = process.env["PROVISO_CHROMIUM"] ?? "/usr/bin/chromium";
/** A Python that has the packages of requirements.txt. */
export const PYTHON = process.env["PROVISO_PYTHON"] ?? "python3";
/** The assembled npm package. */
export const POLICY_PACKAGE = process.env["PROVISO_POLICY_PACKAGE"] ?? join(TARGET, "npm/proviso-policy");
/** The filesystem server of another author. */
export const FILESYSTEM_SERVER = join(here, "../node_modules/@modelcontextprotocol/server-filesystem/dist/index.js");
/** The client of another author, in Python. */
export const PYTHON_CLIENT = join(here, "client.py");

/** The bench brings a gate of its own, which runs already. */
const SERVERS = process.env["PROVISO_BENCH_LINK"] === undefined ? [[PROVISO, "cargo xtask build"], [FILESYSTEM_SERVER, "cargo xtask tools"]] : [];

for (const [path, remedy] of [...SERVERS, [CHROMIUM, "cargo xtask tools"]]) {
  if (path === undefined || !existsSync(path)) throw new Error(`there is no ${path}: ${remedy}`);
}
