// What people do to an exception besides voting, and what they say of it once it is over: an emergency, its review, the
// disposition by one key.
import { join } from "node:path";

import { type Page, expect } from "@playwright/test";

import { AGENT, LOOKS, approve, inState, keysReady, look, open, press, test } from "./harness/asked.ts";
import { CLIENTS } from "./harness/client.ts";
import type { Gate } from "./harness/gate.ts";
import { Model, text } from "./harness/model.ts";
import { relay } from "./harness/relay.ts";

const WHY = "The board meets in ten minutes.";

/** mara declares an emergency and grants one write; the agent makes it. */
async function usedUp(page: Page, { gate, asked, task, below }: { gate: Gate; asked: string; task: string; below: string }): Promise<void> {
  await open(page, gate, asked);
  await page.getByRole("button", { name: "Declare an emergency" }).click();
  await expect(page.getByLabel("Reason")).toBeFocused();
  await page.getByLabel("Reason").fill(WHY);
  await page.getByRole("button", { name: "Declare an emergency" }).click();
  await expect(page.locator(".chips").first()).toContainText("emergency declared by mara");
  await expect(page.getByRole("region", { name: "If you say yes" })).toContainText("nothing: every dimension is fixed");
  await approve(page);
  await expect(inState(page, "granted")).toBeVisible();
  const model = new Model(await CLIENTS["node"]!(gate.proxied({ ...AGENT, task })));
  await model.look();
  const call = { tool: "write_file", args: { path: join(gate.files, below, "q4.md"), content: "Balanced.\n" } };
  expect(text(await model.call(call))).toContain("Successfully wrote");
  await model.close();
  await expect(page.getByRole("region", { name: "Judge" })).toBeVisible();
}

test("a closed exception is judged by one key, on its page and in the list", async ({ page, gate, asked, task, below }) => {
  await usedUp(page, { gate, asked, task, below });
  await press(page, "1", (within) =>
    expect(page.getByRole("button", { name: "one-off" })).toHaveAttribute("aria-pressed", "true", within),
  );
  await press(page, "4", (within) =>
    expect(page.getByRole("button", { name: "asked by mistake" })).toHaveAttribute("aria-pressed", "true", within),
  );
  await expect(page.getByRole("button", { name: "one-off" })).toHaveAttribute("aria-pressed", "false");
  await page.keyboard.press("g");
  await page.keyboard.press("v");
  await expect(page.getByRole("heading", { name: "Reviews", exact: true })).toBeVisible();
  await expect(page.getByRole("group", { name: "Judge this exception" }).and(page.locator(`li:has(a[href$="${asked}"]) *`))).toHaveCount(0);
});

test("a use while the page of its grant loads is not overtaken by what was loaded", async ({ page, gate, asked, task, below }) => {
  await page.route("**/api/v1/exceptions/*/sheet*", async (route) => {
    const response = await route.fetch();
    if ((await response.text()).includes('"state":"granted"')) await expect(inState(page, "exhausted")).toBeVisible();
    await route.fulfill({ response });
  });
  await usedUp(page, { gate, asked, task, below });
  await expect(inState(page, "exhausted")).toBeVisible();
});

test("the list of what nobody judged takes keys only for the line in focus, and moves nothing", async ({ page, gate, asked, task, below }) => {
  await usedUp(page, { gate, asked, task, below });
  await page.goto(`${gate.url}/reviews`);
  const line = page.locator("li", { has: page.locator(`a[href$="${asked}"]`) }).filter({ has: page.locator("[data-judge]") });
  await expect(line).toBeVisible();
  await keysReady(page);
  await page.keyboard.press("2");
  await expect(line.locator('[aria-pressed="true"]')).toHaveCount(0);
  await line.locator("a").focus();
  await press(page, "2", (within) =>
    expect(line.getByRole("button", { name: "policy too narrow" })).toHaveAttribute("aria-pressed", "true", within),
  );
  await expect(line.locator(".chips")).toContainText("policy too narrow");
  await expect(line.locator("a")).toBeFocused();
  await page.reload();
  await expect(page.getByRole("heading", { name: "Reviews", exact: true })).toBeVisible();
  await expect(line).toHaveCount(0);
});

test("an emergency's review is closed by somebody who had no part in it", async ({ page, gate, asked, task, below }) => {
  await usedUp(page, { gate, asked, task, below });
  const line = page.locator("li", { has: page.locator(`a[href$="${asked}"]`) }).filter({ hasText: "close by" });
  await page.goto(`${gate.url}/reviews`);
  await expect(line).toContainText("You cannot close it");
  await expect(line.getByRole("button", { name: "Appropriate" })).toHaveCount(0);
  await page.goto(gate.signInLink("ola"));
  await expect(page.getByRole("heading", { name: "Queue" })).toBeVisible();
  await page.goto(`${gate.url}/reviews`);
  await line.getByRole("button", { name: "Excessive" }).click();
  await expect(line.getByLabel("Note")).toBeFocused();
  await line.getByLabel("Note").fill("Half an hour would have been enough. \u202E");
  await line.getByRole("button", { name: "Excessive" }).click();
  await expect(line).toHaveCount(0);
});

test("a use that nobody reported is given back on the page of its grant", async ({ page, gate, asked, task, below }) => {
  await open(page, gate, asked);
  await expect(page.getByRole("region", { name: "If you say yes" })).toContainText("nothing: every dimension is fixed");
  await approve(page);
  await expect(inState(page, "granted")).toBeVisible();
  const network = await relay(gate.url);
  const model = new Model(await CLIENTS["node"]!(gate.proxied({ ...AGENT, task }, network.url)));
  await model.look();
  network.loseReports();
  await model.call({ tool: "write_file", args: { path: join(gate.files, below, "q4.md"), content: "Balanced.\n" } });
  await model.close();
  await network.stop();

  const uses = page.getByRole("region", { name: "Uses of which nobody knows the end" });
  await expect(uses).toContainText("consumed, never reported");
  await expect(inState(page, "exhausted")).toBeVisible();
  const granted = page.getByRole("region", { name: "What was granted" });
  await expect(granted.getByRole("row", { name: "used" })).toContainText("1 of 1 use");
  await uses.getByRole("button", { name: "Give back" }).click();
  await expect(page.getByLabel("Reason")).toBeFocused();
  await page.getByLabel("Reason").fill("It never reached the server.");
  // One that was consumed a moment ago may be under way, and is not given back yet.
  await expect(async () => {
    await uses.getByRole("button", { name: "Give back" }).click({ timeout: 2_000 });
    await expect(uses).toHaveCount(0, { timeout: 2_000 });
  }).toPass({ intervals: [2_000], timeout: 60_000 });
  await expect(granted.getByRole("row", { name: "used" })).toContainText("0 of 1 use");
  await expect(inState(page, "granted")).toBeVisible();
  await expect(page.getByRole("region", { name: "History" })).toContainText("It never reached the server.");
});

for (const how of LOOKS) {
  test(`looks and accessibility of what comes afterwards: ${how.scheme}, ${how.name}`, async ({ page, gate, asked, task, below }) => {
    await page.emulateMedia({ colorScheme: how.scheme, reducedMotion: "reduce" });
    await page.setViewportSize(how.viewport);
    await usedUp(page, { gate, asked, task, below });
    await press(page, "1", (within) =>
      expect(page.getByRole("button", { name: "one-off" })).toHaveAttribute("aria-pressed", "true", within),
    );
    await look(page, "closed", how);
    await page.goto(gate.signInLink("ola"));
    await expect(page.getByRole("heading", { name: "Queue" })).toBeVisible();
    await page.goto(`${gate.url}/reviews`);
    await expect(page.locator(`a[href$="${asked}"]`).first()).toBeVisible();
    await look(page, "reviews", how);
  });
}
