// After a restore: every page says so, and people say of each exception of before that it still stands.
import { expect } from "@playwright/test";

import { LOOKS, look, test } from "./harness/asked.ts";
import { Gate } from "./harness/gate.ts";

test("what was asked before a restore waits on the page of the record, with the gap", async ({ page, gate, asked }) => {
  const restored = await Gate.restored(gate);
  try {
    await page.goto(restored.signInLink("mara"));
    const banner = page.getByText("This gate was restored.");
    await expect(banner).toBeVisible();
    await page.getByRole("link", { name: "Look at them" }).click();
    const card = page.getByRole("region", { name: "This record was restored" });
    await expect(card).toContainText("Epoch 2 began");
    await expect(card).toContainText("the disk broke");
    await expect(card).toContainText("ledger: restored with");
    for (const each of LOOKS) {
      await page.emulateMedia({ colorScheme: each.scheme });
      await page.setViewportSize(each.viewport);
      await look(page, "restored", each);
    }
    // Without a word of why nothing is confirmed.
    const line = card.getByRole("listitem").filter({ has: page.locator(`a[href="/exceptions/${asked}"]`) });
    await line.getByRole("button", { name: "Confirm" }).click();
    await expect(page.getByLabel("Why what you confirm still stands")).toBeFocused();
    await page.getByLabel("Why what you confirm still stands").fill("the report is still due");
    await line.getByRole("button", { name: "Confirm" }).click();
    await expect(line).toHaveCount(0);
    // It is a request like any other again.
    await page.goto(`${restored.url}/exceptions/${asked}`);
    await expect(page.getByRole("button", { name: "Approve" })).toBeEnabled();
  } finally {
    await restored.stop();
  }
});

test("what waits to be confirmed needs those who may confirm it, in the queue and on its page", async ({ page, gate, asked }) => {
  const restored = await Gate.restored(gate);
  try {
    // Who may not vote on it is not asked.
    await page.goto(restored.signInLink("jun"));
    await expect(page.getByRole("link", { name: /^Needs me 0$/ })).toBeVisible();
    await page.goto(restored.signInLink("mara"));
    const line = page.getByRole("listitem").filter({ has: page.locator(`a[href="/exceptions/${asked}"]`) });
    await expect(line).toContainText("unconfirmed");
    await expect(line).toContainText("confirmed 0 of 1");
    await expect(page.getByRole("link", { name: /^Queue \d+ need you$/ })).toBeVisible();
    await line.getByRole("link").click();
    const bar = page.getByRole("region", { name: "Confirm" });
    await expect(bar).toContainText("0 of 1");
    for (const each of LOOKS) {
      await page.emulateMedia({ colorScheme: each.scheme });
      await page.setViewportSize(each.viewport);
      await look(page, "unconfirmed", each);
    }
    const confirm = bar.getByRole("button", { name: "Confirm that it still stands" });
    await confirm.click();
    await expect(bar.getByLabel("Reason")).toBeFocused();
    await bar.getByLabel("Reason").fill("the report is still due");
    await confirm.click();
    // It is a request like any other again, on this very page.
    await expect(page.getByRole("button", { name: "Approve" })).toBeEnabled();
  } finally {
    await restored.stop();
  }
});
