// The decision page against a network that is cut, a module that is not the gate's, facts that are altered, and people who
// may not vote. And its looks: pictures for a reviewer, and what a machine can tell about accessibility.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

import { type Page, type Route, expect } from "@playwright/test";

import { LOOKS, inState, look, open, test } from "./harness/asked.ts";
import { Gate } from "./harness/gate.ts";

const preview = (page: Page) => page.getByRole("region", { name: "If you say yes" });
const approve = (page: Page) => page.getByRole("button", { name: "Approve" });

test("the preview goes on working with the network cut", async ({ page, gate, asked, context }) => {
  await open(page, gate, asked);
  await expect(preview(page)).toContainText("nothing: every dimension is fixed");
  await context.setOffline(true);
  await page.getByRole("button", { name: "Open more than this …" }).click();
  await page.getByRole("radio", { name: "by conditions" }).check();
  await page.getByRole("combobox", { name: "content", exact: true }).selectOption("open");
  await expect(preview(page)).toContainText("input.content");
  // What a yes does not fix is told by name, and back to the smallest is one step.
  await expect(page.getByRole("list", { name: "Not fixed by this yes" })).toContainText("input.content");
  await page.getByRole("button", { name: "Back to the smallest grant" }).click();
  await expect(page.getByText("Nothing. This very call, and no other.")).toBeVisible();
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
    const body = (await response.text()).replaceAll(/reports\/[\w-]+\/q4\.md/g, "drafts/q4.md");
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
  await expect(inState(page, "requested")).toBeVisible();
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
});

test("a call that holds what cannot be shown is marked, stands a tier higher and says so, and takes what that tier takes", async ({ page, gate, asking, below }) => {
  const { model, wish } = asking;
  const odd = { tool: "write_file", args: { path: join(gate.files, below, "odd.md"), content: "Balanced. \u202Egnp.exe\n" } };
  const { id } = await model.request(await model.call(odd), { ...wish, ...odd });
  await open(page, gate, id);
  await expect(page.getByRole("region", { name: "What will run" })).toContainText("U+202E");
  await expect(page.locator("h1 + .chips")).toContainText("a tier higher than medium, because the arguments hold what cannot be shown as what it is");
  await expect(inState(page, "requested")).toBeVisible();
  await expect(inState(page, "denied")).toHaveCount(0);
  await expect(preview(page)).toContainText("nothing: every dimension is fixed");
  await page.getByLabel("Reason").fill("It is due.");
  await approve(page).click();
  const dialog = page.getByRole("dialog", { name: "This is of the strongest tier" });
  await dialog.getByLabel("Its name").fill("files");
  await dialog.getByRole("button", { name: "Approve" }).click();
  await expect(inState(page, "granted")).toBeVisible();
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

for (const how of LOOKS) {
  test(`looks and accessibility: ${how.scheme}, ${how.name}`, async ({ page, gate, asked, task }) => {
    await page.emulateMedia({ colorScheme: how.scheme, reducedMotion: "reduce" });
    await page.setViewportSize(how.viewport);
    await page.goto(gate.url);
    await expect(page.getByRole("heading", { name: "Sign in" })).toBeVisible();
    await look(page, "sign-in", how);
    await page.goto(gate.signInLink("mara"));
    await expect(page.locator("a[data-line]", { hasText: task })).toBeVisible();
    await look(page, "queue", how);
    await page.goto(`${gate.url}/exceptions/${asked}`);
    await expect(preview(page)).toContainText("nothing: every dimension is fixed");
    await look(page, "decision", how);
    await page.goto(`${gate.url}/record`);
    await expect(page.getByRole("heading", { name: "Record" })).toBeVisible();
    await look(page, "record", how);
  });
}
