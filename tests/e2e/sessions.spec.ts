// The person's own page: where one is signed in, and ending that.
import { type Page, expect } from "@playwright/test";

import { type Another, LOOKS, look, test } from "./harness/asked.ts";
import type { Gate } from "./harness/gate.ts";

/** Another browser of the same person. */
async function elsewhere(another: Another, gate: Gate, user: string): Promise<Page> {
  const page = await another({ userAgent: "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1" });
  await page.goto(gate.signInLink(user));
  await expect(page.getByRole("heading", { name: "Queue" })).toBeVisible();
  return page;
}

async function you(page: Page, gate: Gate, user: string): Promise<void> {
  await page.goto(gate.signInLink(user));
  await expect(page.getByRole("heading", { name: "Queue" })).toBeVisible();
  await page.getByRole("link", { name: user }).click();
  await expect(page.getByRole("heading", { name: "You", level: 1 })).toBeVisible();
}

/** The same, where nothing is left of whatever other tests did as them. */
async function alone(page: Page, gate: Gate, user: string): Promise<void> {
  await you(page, gate, user);
  const lines = page.locator(".sessions li");
  await expect(lines.first()).toBeVisible();
  if ((await lines.count()) > 1) {
    await page.getByRole("button", { name: "End all others" }).click();
  }
  await expect(lines).toHaveCount(1);
}

test("a person ends a session elsewhere, and the page there knows at once", async ({ page, another, gate }) => {
  await alone(page, gate, "ola");
  const phone = await elsewhere(another, gate, "ola");
  await page.reload();
  const lines = page.locator(".sessions li");
  await expect(lines).toHaveCount(2);
  await expect(lines.filter({ hasText: "Safari on an iPhone" })).toBeVisible();
  await page.getByRole("button", { name: /End the session of Safari on an iPhone/ }).click();
  await expect(lines).toHaveCount(1);
  await expect(page.getByText("this one")).toBeVisible();
  await phone.reload();
  await expect(phone.getByRole("heading", { name: "Sign in" })).toBeVisible();
});

test("a person ends all others at once", async ({ page, another, gate }) => {
  await alone(page, gate, "vera");
  const others = [await elsewhere(another, gate, "vera"), await elsewhere(another, gate, "vera")];
  await page.reload();
  await expect(page.locator(".sessions li")).toHaveCount(3);
  await page.getByRole("button", { name: "End all others" }).click();
  await expect(page.locator(".sessions li")).toHaveCount(1);
  await expect(page.getByRole("button", { name: "End all others" })).toBeHidden();
  await expect(page.getByRole("status").filter({ hasText: "2 sessions were ended." })).toBeAttached();
  for (const other of others) {
    await other.reload();
    await expect(other.getByRole("heading", { name: "Sign in" })).toBeVisible();
  }
});

test("a person makes a link for the command line, is shown it once, and ends it", async ({ page, gate }) => {
  await alone(page, gate, "tom");
  const waiting = page.locator(".links li");
  await expect(waiting).toHaveCount(0);
  await page.getByRole("button", { name: "Make a link" }).click();
  const link = page.getByLabel("Link", { exact: true });
  await expect(link).toHaveValue(/\/sign-in#pvl_[0-9a-f]{32}_[0-9a-f]{64}$/);
  await expect(waiting).toHaveCount(1);
  await page.getByRole("button", { name: "I have it" }).click();
  await expect(link).toBeHidden();
  await page.getByRole("button", { name: /End the link/ }).click();
  await expect(waiting).toHaveCount(0);
  await expect(page.locator(".sessions li")).toHaveCount(1);
});

for (const at of LOOKS) {
  test(`looks of one's own page: ${at.scheme}, ${at.name}`, async ({ page, another, gate }) => {
    const phone = await elsewhere(another, gate, "jun");
    await page.setViewportSize(at.viewport);
    await page.emulateMedia({ colorScheme: at.scheme });
    await you(page, gate, "jun");
    await expect(page.locator(".sessions li").first()).toBeVisible();
    await look(page, "you", at);
  });
}
