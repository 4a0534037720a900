// What a browser keeps of the record: heads that the gate has to go on from, and receipts that need no gate.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { type Page, type Route, expect } from "@playwright/test";

import { open, test } from "./harness/asked.ts";
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
