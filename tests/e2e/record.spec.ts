// What a browser keeps of the record: heads that the gate has to go on from, and receipts that need no gate.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { type Page, type Route, expect } from "@playwright/test";

import { LOOKS, look, open, test } from "./harness/asked.ts";
import { Gate } from "./harness/gate.ts";

const approve = (page: Page) => page.getByRole("button", { name: "Approve" });

test("a gate whose record does not go on from what was seen turns every page red, and gets no vote", async ({ page, gate, asked }) => {
  await open(page, gate, asked);
  await expect(approve(page)).toBeEnabled();
  await expect.poll(() => page.evaluate(() => localStorage.getItem("proviso-heads"))).toContain("decisions/main");
  // The ledger is shorter than what this browser saw: what a gate says on a restored copy.
  const shorter = { type: "about:blank", title: "log shorter", status: 409, detail: "fewer records", code: "log_shorter" };
  await page.route("**/api/v1/logs/ledger/consistency*", (route: Route) => route.fulfill({ status: 409, contentType: "application/problem+json", json: shorter }));
  await page.reload();
  const told = page.getByRole("alert");
  await expect(told).toContainText("not the record that this browser saw");
  await expect(approve(page)).toBeDisabled();
  await expect(page.locator("#why-not")).toContainText("refuses to vote");
  for (const path of ["/", "/reviews", "/record"]) {
    await page.goto(`${gate.url}${path}`);
    await expect(told).toBeVisible();
    await expect(page.locator(".page.forked")).toBeVisible();
  }
  // Whoever knows why goes on with the record that there is.
  await page.unrouteAll();
  await page.getByRole("button", { name: /another record/ }).click();
  await expect(told).toHaveCount(0);
  await page.goto(`${gate.url}/exceptions/${asked}`);
  await expect(approve(page)).toBeEnabled();
});

test("a gate that has decided nothing yet is no other record than what was seen", async ({ page }) => {
  const gate = await Gate.start();
  try {
    await page.goto(gate.signInLink("mara"));
    await expect(page.getByRole("heading", { name: "Queue" })).toBeVisible();
    // What is kept is kept when both logs were looked at.
    await expect.poll(() => page.evaluate(() => localStorage.getItem("proviso-heads"))).toContain("ledger");
    await page.goto(`${gate.url}/record`);
    await expect(page.getByRole("heading", { name: "Logs" })).toBeVisible();
    await expect(page.locator(".page.forked")).toHaveCount(0);
  } finally {
    await gate.stop();
  }
});

test("a receipt is taken from the history, and checked without the gate", async ({ page, context, gate, asked }, info) => {
  await open(page, gate, asked);
  const saved = page.waitForEvent("download");
  await page.getByRole("button", { name: /^Receipt of record \d+ of ledger$/ }).first().click();
  const receipt = await saved;
  expect(receipt.suggestedFilename()).toMatch(/^ledger-\d+\.tlog-proof$/);
  const text = readFileSync(await receipt.path(), "utf8");
  const file = (name: string, content: string): string => {
    mkdirSync(info.outputDir, { recursive: true });
    const path = join(info.outputDir, name);
    writeFileSync(path, content);
    return path;
  };
  const [good, bad] = [file("good.tlog-proof", text), file("bad.tlog-proof", text.replace(/^index \d+$/m, "index 0"))];
  await page.goto(`${gate.url}/record`);
  const input = page.getByLabel(/ends in \.tlog-proof/);
  await expect(input).toBeVisible();
  await context.setOffline(true);
  await input.setInputFiles(good);
  await expect(page.getByText(/is in the log, under a signed head/)).toBeVisible();
  await expect(page.getByText("exception_requested").first()).toBeVisible();
  await input.setInputFiles(bad);
  await expect(page.getByText("This proves nothing.")).toBeVisible();
});

test("the log is narrowed in the address, each line leads to its page, and a record is checked in the browser", async ({ page, gate, asked }) => {
  await open(page, gate, asked);
  await page.goto(`${gate.url}/record/log?exception=${asked}`);
  const lines = page.getByRole("list", { name: "Records, newest first" }).getByRole("listitem");
  const requested = lines.filter({ hasText: "Exception requested" });
  await expect(requested).toHaveCount(1);
  await expect(page.getByLabel("Exception, by id")).toHaveValue(asked);
  // The filters go into the address, and what the address says is what they show.
  await page.getByLabel("Kind").fill("exception_requested");
  await page.getByRole("button", { name: "Show" }).click();
  await expect(page).toHaveURL(/kind=exception_requested&exception=/);
  await expect(lines).toHaveCount(1);
  // The browser holds a head: the record is proved under that very one, and the gate's word counts for nothing.
  const check = page.getByRole("button", { name: /^Check record \d+ of ledger here$/ });
  await check.click();
  await expect(lines.first()).toContainText("In the log: proved here under the head over");
  await page.route("**/records/*/proof?size=*", async (route: Route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, body: (await answer.text()).replace(/^index (\d+)$/m, (_, seq) => `index ${Number(seq) + 1}`) });
  });
  await check.click();
  await expect(lines.first()).toContainText("This proves nothing.");
  await page.unrouteAll();
  for (const each of LOOKS) {
    await page.emulateMedia({ colorScheme: each.scheme, reducedMotion: "reduce" });
    await page.setViewportSize(each.viewport);
    await look(page, "log", each);
  }
  // One record alone, by its place; what it is about opens its page.
  await lines.first().getByRole("link", { name: /^ledger #\d+$/ }).click();
  await expect(page).toHaveURL(/log=ledger&seq=\d+$/);
  await expect(lines).toHaveCount(1);
  await lines.first().getByRole("link", { name: /^Exception requested/ }).click();
  await expect(page).toHaveURL(new RegExp(`/exceptions/${asked}$`));
  // Going back shows the same again, and everything is a step away.
  await page.goBack();
  await page.getByRole("link", { name: "Everything" }).click();
  await expect(page).toHaveURL(/\/record\/log$/);
  await expect.poll(() => lines.count()).toBeGreaterThan(5);
});

test("what cannot be found is said before it is asked, and an older page comes behind the newer", async ({ page, gate, asked }) => {
  await open(page, gate, asked);
  await page.goto(`${gate.url}/record/log?seq=7`);
  await expect(page.getByText("A record is a whole number in one of the logs: choose which.")).toBeVisible();
  await page.route("**/api/v1/record/lines?*", async (route: Route) => {
    const url = new URL(route.request().url());
    url.searchParams.set("limit", "2");
    await route.continue({ url: url.toString() });
  });
  await page.goto(`${gate.url}/record/log?log=ledger`);
  const lines = page.getByRole("list", { name: "Records, newest first" }).getByRole("listitem");
  await expect(lines).toHaveCount(2);
  await page.getByRole("button", { name: "Older" }).click();
  await expect(lines).toHaveCount(4);
});
