// The assembled npm package on a page: the entry that a browser resolves, fetched over HTTP with all that it fetches itself,
// answers every golden case with the same bytes as the gate.
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";
import { pathToFileURL } from "node:url";

import { expect, test } from "@playwright/test";

import { POLICY_PACKAGE, ROOT } from "./harness/places.ts";

interface Case {
  name: string;
  steps: { op: number; input: string; answer: string }[];
}

/** What the page uses of the package's class. */
interface Policy {
  call(op: number, input: Uint8Array): Uint8Array;
  free(): void;
}
type PolicyModule = { fromBytes(bytes: Uint8Array, digest: string): Policy };

const TYPES: Record<string, string> = { ".js": "text/javascript", ".wasm": "application/wasm", ".json": "application/json" };

const manifest = JSON.parse(readFileSync(join(POLICY_PACKAGE, "package.json"), "utf8")) as { exports: { ".": { default: string } } };
const module = readFileSync(join(POLICY_PACKAGE, "policy.wasm"));
const digest = createHash("sha256").update(module).digest("hex");
const vectors = pathToFileURL(join(ROOT, "policy-core/js/tests/vectors.mjs")).href;

/** Serves the package's folder as a static server does, and an empty page that may fetch from nowhere else. */
const site = createServer((request, response) => {
  const path = new URL(request.url ?? "/", "http://page").pathname;
  if (path === "/") {
    const policy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'";
    response.setHeader("Content-Security-Policy", policy).setHeader("Content-Type", "text/html").end("<!doctype html><title>x</title>");
    return;
  }
  const file = join(POLICY_PACKAGE, path);
  if (!existsSync(file)) return void response.writeHead(404).end();
  response.setHeader("Content-Type", TYPES[extname(file)] ?? "application/octet-stream").end(readFileSync(file));
});

test.beforeAll(() => new Promise<void>((done) => site.listen(0, "127.0.0.1", done)));
test.afterAll(() => void site.close());

test("every golden case is answered on a page with the same bytes, by what a browser gets of the package", async ({ page }) => {
  const { golden } = (await import(vectors)) as { golden: Case[] };
  expect(golden.length).toBeGreaterThanOrEqual(40);
  await page.goto(`http://127.0.0.1:${(site.address() as AddressInfo).port}/`);
  const entry = new URL(manifest.exports["."].default, page.url()).href;
  const wrong = await page.evaluate(
    async ({ entry, digest, golden }) => {
      const { PolicyModule } = (await import(entry)) as { PolicyModule: PolicyModule };
      const bytes = new Uint8Array(await (await fetch("/policy.wasm")).arrayBuffer());
      const utf8 = new TextEncoder();
      const wrong: string[] = [];
      const plays = (policy: Policy, name: string, { op, input, answer }: Case["steps"][number]): void => {
        const [given, expected] = [policy.call(op, utf8.encode(input)), utf8.encode(answer)];
        const same = given.length === expected.length && given.every((byte, at) => byte === expected[at]);
        if (!same) wrong.push(name);
      };
      // Compiling takes longer than all questions of a bundle: these share the instance that has loaded it.
      const loaded = new Map<string, Policy>();
      for (const { name, steps } of golden) {
        const load = steps.length > 1 ? steps[0] : undefined;
        const policy = loaded.get(load?.input ?? name) ?? PolicyModule.fromBytes(bytes, digest);
        if (load !== undefined && !loaded.has(load.input)) plays(policy, name, load);
        for (const step of load === undefined ? steps : steps.slice(1)) plays(policy, name, step);
        loaded.set(load?.input ?? name, policy);
      }
      for (const policy of loaded.values()) policy.free();
      return wrong;
    },
    { entry, digest, golden },
  );
  expect(wrong).toEqual([]);
});

test("one changed byte of the module does not start on a page", async ({ page }) => {
  await page.goto(`http://127.0.0.1:${(site.address() as AddressInfo).port}/`);
  const entry = new URL(manifest.exports["."].default, page.url()).href;
  const code = await page.evaluate(
    async ({ entry, digest }) => {
      const { PolicyModule } = (await import(entry)) as { PolicyModule: PolicyModule };
      const bytes = new Uint8Array(await (await fetch("/policy.wasm")).arrayBuffer());
      bytes[bytes.length >> 1]! ^= 1;
      try {
        PolicyModule.fromBytes(bytes, digest);
        return "it started";
      } catch (error) {
        return (error as { code?: string }).code;
      }
    },
    { entry, digest },
  );
  expect(code).toBe("digest_mismatch");
});
