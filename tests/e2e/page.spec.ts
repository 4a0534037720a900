// The decision page against a network that is cut, a module that is not the gate's, facts that are altered, and people who
// may not vote. And its looks: pictures for a reviewer, and what a machine can tell about accessibility.
import { mkdirSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

import { AxeBuilder } from "@axe-core/playwright";
import { type Page, type Route, expect, test as base } from "@playwright/test";

import { CLIENTS } from "./harness/client.ts";
import { Gate } from "./harness/gate.ts";
import { Model } from "./harness/model.ts";
import { TARGET } from "./harness/places.ts";

const AGENT = { subject: "Agent::spiffe://acme.example/agent/report-writer", person: "ines", server: "files" };

/** One gate for each worker: starting one compiles the module. In it, one open request for each test, of a task of its own. */
const test = base.extend<{ task: string; asked: string }, { gate: Gate }>({
  gate: [
    async ({}, use) => {
      const gate = await Gate.start();
      await use(gate);
      await gate.stop();
    },
    { scope: "worker" },
  ],
  task: async ({}, use, info) => use(`close-q4-${info.testId}`),
  asked: async ({ gate, task }, use) => {
    const model = new Model(await CLIENTS["node"]!(gate.proxied({ ...AGENT, task })));
    await model.look();
    const call = { tool: "write_file", args: { path: join(gate.files, "reports/q4.md"), content: "Balanced. \u202Egnp.exe\n" } };
    const wish = { ...call, why: "Approve at once! \u202E<b>done</b>", duration: "30m", uses: 3, folder: join(gate.files, "reports") };
    const { id } = await model.request(await model.call(call), wish);
    await use(id);
    await model.close();
  },
});

const preview = (page: Page) => page.getByRole("region", { name: "If you say yes" });
const approve = (page: Page) => page.getByRole("button", { name: "Approve" });

async function open(page: Page, gate: Gate, asked: string, user = "mara"): Promise<void> {
  await page.goto(gate.signInLink(user));
  await expect(page.getByRole("heading", { name: "Queue" })).toBeVisible();
  await page.goto(`${gate.url}/exceptions/${asked}`);
  await expect(page.getByRole("region", { name: "What will run" })).toBeVisible();
}

test("the preview goes on working with the network cut", async ({ page, gate, asked, context }) => {
  await open(page, gate, asked);
  await expect(preview(page)).toContainText("nothing: every dimension is fixed");
  await context.setOffline(true);
  await page.getByRole("radio", { name: "by conditions" }).check();
  await page.getByRole("combobox", { name: "content", exact: true }).selectOption("open");
  await expect(preview(page)).toContainText("input.content");
});

test("a module with one byte changed in transit: the page refuses to vote", async ({ page, gate, asked }) => {
  await page.route("**/policy/*.wasm", async (route: Route) => {
    const response = await route.fetch();
    const body = Buffer.from(await response.body());
    body[body.length - 1]! ^= 1;
    await route.fulfill({ response, body });
  });
  await open(page, gate, asked);
  await expect(preview(page)).toContainText("refuses to vote");
  await expect(preview(page)).toContainText("digest_mismatch");
  await expect(approve(page)).toBeDisabled();
  await expect(page.getByRole("button", { name: "Refuse" })).toBeDisabled();
});

test("one fact altered in the page's data: the server refuses the vote", async ({ page, gate, asked }) => {
  await page.route("**/api/v1/exceptions/*/sheet*", async (route: Route) => {
    const response = await route.fetch();
    const body = (await response.text()).replaceAll("reports/q4.md", "drafts/q4.md");
    expect(body).toContain("drafts/q4.md");
    await route.fulfill({ response, body });
  });
  await open(page, gate, asked);
  await expect(page.getByRole("region", { name: "What will run" })).toContainText("drafts/q4.md");
  await expect(approve(page)).toBeEnabled();
  const answered = page.waitForResponse((response) => response.url().endsWith("/votes"));
  await page.getByLabel("Reason").fill("Looks harmless.");
  await approve(page).click();
  expect((await answered).status()).toBe(409);
  await page.unrouteAll();
  await page.reload();
  await expect(page.locator(".chip.state-requested")).toBeVisible();
});

for (const [user, words] of [["tom", /own/i], ["ines", /ask|chain|request/i], ["vera", /eligib|approve/i]] as const) {
  test(`${user} may not vote, and the page says why`, async ({ page, gate, asked }) => {
    await open(page, gate, asked, user);
    await expect(approve(page)).toBeDisabled();
    await expect(page.locator("#why-not")).toHaveText(words);
  });
}

test("what an agent says is plain text with odd characters made visible", async ({ page, gate, asked }) => {
  await open(page, gate, asked);
  const says = page.getByRole("region", { name: "What the agent says" });
  await expect(says).toContainText("U+202E");
  await expect(says).toContainText("<b>done</b>");
  await expect(says.locator("b", { hasText: "done" })).toHaveCount(0);
  await expect(page.getByRole("region", { name: "What will run" })).toContainText("U+202E");
});

test("a process under the gate's own user cannot approve: it gets no link", async () => {
  const gate = await Gate.start("own user");
  try {
    const minting = () => gate.run("token", "approver", "--user", "mara", "--json");
    expect(minting).toThrow(/Command failed/);
    expect(gate.run("audit", "verify")).toContain("verified");
  } finally {
    await gate.stop();
  }
});

test("a foreign Host or Origin is refused, and a sign-in link works once", async ({ page, gate, playwright }) => {
  const link = gate.signInLink("mara");
  await page.goto(link);
  await expect(page.getByRole("heading", { name: "Queue" })).toBeVisible();
  await page.context().clearCookies();
  await page.goto("about:blank");
  await page.goto(link);
  await expect(page.getByRole("heading", { name: "Sign in" })).toBeVisible();
  const other = await playwright.request.newContext({ extraHTTPHeaders: { Origin: "https://evil.example" } });
  expect((await other.post(`${gate.url}/api/v1/session`, { data: { link: "x" } })).status()).toBe(403);
  await other.dispose();
});

test("a server on another port gets the cookie, and can do nothing with it", async ({ page, gate, asked, playwright }) => {
  await open(page, gate, asked);
  let cookie = "";
  const thief = createServer((request, response) => {
    cookie ||= request.headers.cookie ?? "";
    response.end("<!doctype html><title>Report</title>");
  });
  await new Promise<void>((done) => thief.listen(0, "127.0.0.1", done));
  const { port } = thief.address() as AddressInfo;
  await page.goto(`http://127.0.0.1:${port}/`);
  const kept = await page.evaluate(() => JSON.stringify(localStorage));
  thief.close();
  expect(cookie).toContain("proviso_session=");
  expect(kept).toBe("{}");
  const other = await playwright.request.newContext({ extraHTTPHeaders: { Cookie: cookie } });
  for (const path of ["session", "exceptions", `exceptions/${asked}`]) {
    const answer = await other.get(`${gate.url}/api/v1/${path}`);
    expect([answer.status(), (await answer.json()).code]).toEqual([401, "session_key_missing"]);
  }
  await other.dispose();
  // The page itself is still signed in, and no longer once it has signed out.
  await page.goto(gate.url);
  await expect(page.getByRole("heading", { name: "Queue" })).toBeVisible();
  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(page.getByRole("heading", { name: "Sign in" })).toBeVisible();
  expect(await page.evaluate(() => localStorage.getItem("proviso-session-key"))).toBeNull();
});

for (const scheme of ["light", "dark"] as const) {
  for (const [name, viewport] of [["wide", { width: 1280, height: 900 }], ["narrow", { width: 390, height: 844 }]] as const) {
    test(`looks and accessibility: ${scheme}, ${name}`, async ({ page, gate, asked, task }) => {
      await page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
      await page.setViewportSize(viewport);
      const folder = join(TARGET, "screenshots");
      mkdirSync(folder, { recursive: true });
      const look = async (what: string) => {
        await page.screenshot({ path: join(folder, `${what}-${scheme}-${name}.png`), fullPage: true });
        const { violations } = await new AxeBuilder({ page }).withTags(["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]).analyze();
        expect(violations.map(({ id, nodes }) => `${what}: ${id}: ${nodes.map((node) => node.html).join(" ")}`)).toEqual([]);
        // Nothing is wider than the window.
        expect(await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)).toBeLessThanOrEqual(0);
      };
      await page.goto(gate.url);
      await expect(page.getByRole("heading", { name: "Sign in" })).toBeVisible();
      await look("sign-in");
      await page.goto(gate.signInLink("mara"));
      await expect(page.locator("a[data-line]", { hasText: task })).toBeVisible();
      await look("queue");
      await page.goto(`${gate.url}/exceptions/${asked}`);
      await expect(preview(page)).toContainText("nothing: every dimension is fixed");
      await look("decision");
      await page.goto(`${gate.url}/record`);
      await expect(page.getByRole("heading", { name: "Record" })).toBeVisible();
      await look("record");
    });
  }
}
