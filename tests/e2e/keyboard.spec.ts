// The whole decision without a mouse. Where the focus stands is said at each step: who does not see the page knows no more.
import { type Locator, type Page, expect } from "@playwright/test";

import { inState, keysReady, press, test } from "./harness/asked.ts";
import type { Gate } from "./harness/gate.ts";

const preview = (page: Page): Locator => page.getByRole("region", { name: "If you say yes" });
const time = (page: Page): Locator => page.locator(".borders tr", { has: page.getByRole("rowheader", { name: "time", exact: true }) });

/** Presses a key until this has the focus. */
async function until(page: Page, key: string, there: Locator): Promise<void> {
  const most = 40;
  for (let pressed = 0; pressed < most; pressed += 1) {
    await page.keyboard.press(key);
    if (await there.evaluate((element) => element === document.activeElement)) return;
  }
  throw new Error(`${key} pressed ${most} times does not lead to ${there}`);
}

/** From the queue to the request's page. */
async function walk(page: Page, gate: Gate, task: string, asked: string): Promise<void> {
  await page.goto(gate.signInLink("mara"));
  const line = page.locator("a[data-line]", { hasText: task });
  await expect(line).toBeVisible();
  await page.keyboard.press("j");
  await expect(page.locator("a[data-line]").first()).toBeFocused();
  const places = await page.locator("a[data-line]").evaluateAll((lines, id) => lines.findIndex((line) => (line as HTMLAnchorElement).href.endsWith(id)), asked);
  for (let at = 0; at < places; at += 1) await page.keyboard.press("j");
  await expect(line).toBeFocused();
  await page.keyboard.press("k");
  await page.keyboard.press(places === 0 ? "k" : "j");
  await expect(line).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(new RegExp(`/exceptions/${asked}$`));
  await expect(preview(page)).toContainText("nothing: every dimension is fixed");
}

test("a request is narrowed, granted and revoked without a mouse", async ({ page, gate, task, asked }) => {
  await walk(page, gate, task, asked);
  const length = page.getByLabel("valid for", { exact: true });
  await press(page, "n", (within) => expect(length).toBeFocused(within));
  const before = await time(page).textContent();
  await page.keyboard.press("Control+a");
  await page.keyboard.type("7m");
  await expect(length).toBeFocused();
  await expect(time(page)).not.toHaveText(before ?? "");
  // A preset is a button like any other. Keys that decide are typed into no field.
  const preset = page.getByRole("group", { name: "valid for, at once" }).getByRole("button").first();
  await until(page, "Tab", preset);
  await page.keyboard.press("Enter");
  await expect(preset).toHaveAttribute("aria-pressed", "true");
  await expect(page.getByRole("button", { name: "Approve" })).toBeEnabled();
  // A middle tier wants a reason; with one, the same key approves.
  await press(page, "a", (within) => expect(page.getByLabel("Reason")).toBeFocused(within));
  await expect(page.locator("#why-not")).toContainText("A reason is needed");
  await page.keyboard.type("It is due.");
  await until(page, "Tab", page.getByRole("button", { name: "Approve" }));
  await page.keyboard.press("Enter");
  await expect(inState(page, "granted")).toBeVisible();
  await expect(page.getByRole("button", { name: "Revoke" })).toBeVisible();

  await press(page, "r", (within) => expect(page.getByLabel("Reason")).toBeFocused(within));
  await page.keyboard.type("The quarter is closed. a d r");
  await expect(page.getByLabel("Reason")).toHaveValue("The quarter is closed. a d r");
  await page.keyboard.press("Tab");
  await expect(page.getByRole("button", { name: "Revoke" })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(inState(page, "revoked")).toBeVisible();
  await expect(page.getByRole("region", { name: "History" })).toContainText("The quarter is closed. a d r");
});

test("a request is refused without a mouse, and only with a reason", async ({ page, gate, task, asked }) => {
  await walk(page, gate, task, asked);
  const reason = page.getByLabel("Reason");
  const refuse = page.getByRole("button", { name: "Refuse" });
  await press(page, "d", (within) => expect(reason).toBeFocused(within));
  await until(page, "Tab", refuse);
  await expect(refuse).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(reason).toBeFocused();
  await expect(page.locator("#why-not")).toContainText("A reason is needed");
  await page.keyboard.type("It can wait.");
  await until(page, "Tab", refuse);
  await page.keyboard.press("Enter");
  await expect(inState(page, "denied")).toBeVisible();
  await expect(page.getByRole("region", { name: "Judge" })).toBeVisible();
  // What is closed is judged by one key, and `g q` leads back.
  await press(page, "4", (within) =>
    expect(page.getByRole("button", { name: "asked by mistake" })).toHaveAttribute("aria-pressed", "true", within),
  );
  await page.keyboard.press("g");
  await page.keyboard.press("q");
  await expect(page.getByRole("heading", { name: "Queue" })).toBeVisible();
});

test("whoever turns single keys off is left alone by them, until they turn them on", async ({ page, gate, asked }) => {
  await page.goto(gate.signInLink("mara"));
  await expect(page.locator("a[data-line]").first()).toBeVisible();
  await press(page, "?", (within) => expect(page.getByRole("dialog", { name: "Keys" })).toBeVisible(within));
  await page.getByRole("checkbox", { name: "single keys do this" }).uncheck();
  await page.getByRole("button", { name: "Close" }).click();
  await expect(page.getByRole("dialog", { name: "Keys" })).toHaveCount(0);
  await page.keyboard.press("j");
  await page.keyboard.press("g");
  await page.keyboard.press("l");
  await page.keyboard.press("?");
  // What is no single key goes on; by then the others would have done something.
  await page.keyboard.press("Control+k");
  await expect(page.getByRole("combobox", { name: "What to do" })).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("heading", { name: "Queue" })).toBeVisible();
  await expect(page.getByRole("dialog", { name: "Keys" })).toHaveCount(0);
  await expect(page.locator("a[data-line]:focus")).toHaveCount(0);
  // It is of this browser, and outlives the page.
  await page.goto(`${gate.url}/exceptions/${asked}`);
  await expect(preview(page)).toContainText("nothing: every dimension is fixed");
  await keysReady(page);
  await page.keyboard.press("d");
  await page.keyboard.press("a");
  await page.keyboard.press("Control+k");
  await expect(page.getByRole("combobox", { name: "What to do" })).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(inState(page, "requested")).toBeVisible();
  await expect(page.getByLabel("Reason")).not.toBeFocused();
  await page.getByRole("button", { name: "Keys" }).click();
  await page.getByRole("checkbox", { name: "single keys do this" }).check();
  await page.getByRole("button", { name: "Close" }).click();
  await press(page, "d", (within) => expect(page.getByLabel("Reason")).toBeFocused(within));
});
