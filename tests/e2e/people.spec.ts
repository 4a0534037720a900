// How people come in: an invitation of two administrators, on the page, by whom and for whom it is.

import { type Page, expect } from "@playwright/test";

import { LOOKS, look, signIn } from "./harness/asked.ts";
import { testWith } from "./harness/roles.ts";

/** Two administrators, and two who were never here: nia may vote, bo may nothing. */
const MEMBERS = { kit: ["administrators"], jun: ["administrators"], nia: ["approvers"], bo: [] };

const test = testWith(MEMBERS);

async function invite(page: Page, user: string): Promise<void> {
  await page.getByLabel("Who: a person's id").fill(user);
  await page.getByLabel("Why they are invited").fill("joins the team");
  await page.getByRole("button", { name: "Invite" }).click();
}

test("two administrators let somebody in who votes, and one whom policy lets nothing", async ({ page, gate, another }) => {
  await signIn(page, gate, "kit");
  await page.getByRole("link", { name: "People" }).click();
  await expect(page.getByText("One administrator is here.")).toBeVisible();

  // Herself she does not invite.
  await invite(page, "kit");
  await expect(page.getByText("own_person")).toBeVisible();

  await invite(page, "bo");
  await expect(page.getByText("The link of bo")).toBeVisible();
  await page.getByRole("button", { name: "I have it" }).click();

  await invite(page, "nia");
  const line = page.getByRole("listitem").filter({ hasText: "nia comes in for the first time" });
  await expect(line).toContainText("waits for a second administrator");
  await expect(line.getByRole("button", { name: /^Agree/ })).toHaveCount(0);

  // The second one, in a browser of their own.
  const other = await another();
  await signIn(other, gate, "jun");
  await other.getByRole("link", { name: "People" }).click();
  await expect(other.getByText("One administrator is here.")).toHaveCount(0);
  await other.getByRole("button", { name: /^Agree that nia/ }).click();
  await expect(other.getByText("The link of nia")).toBeVisible();
  const link = await other.getByRole("textbox", { name: "Link" }).inputValue();

  // In the browser of whoever said yes it opens nothing.
  await other.goto(link);
  await other.reload();
  await expect(other.getByRole("link", { name: "jun" })).toBeVisible();

  const third = await another();
  await third.goto(link);
  await expect(third.getByRole("link", { name: "nia" })).toBeVisible();
  await third.goto(`${gate.url}/people/nia`);
  await expect(third.getByText(/^New until/)).toBeVisible();
  // What one may not do stands on no page.
  await expect(third.getByRole("region", { name: "Look after them" })).toHaveCount(0);

  // An administrator ends her sessions.
  await page.goto(`${gate.url}/people/nia`);
  await expect(page.getByText("decide on requests")).toBeVisible();
  await page.getByRole("button", { name: "End all their sessions" }).click();
  await expect(page.getByText("Signed in nowhere.", { exact: true })).toBeVisible();
  await third.reload();
  await expect(third.getByRole("heading", { name: /sign in/i })).toBeVisible();
});

test("looks of the pages of people, light and dark, wide and narrow", async ({ page, gate }) => {
  await signIn(page, gate, "kit");
  for (const each of LOOKS) {
    await page.emulateMedia({ colorScheme: each.scheme });
    await page.setViewportSize(each.viewport);
    await page.goto(`${gate.url}/people`);
    await expect(page.getByRole("heading", { name: "Everybody" })).toBeVisible();
    await look(page, "people", each);
    await page.goto(`${gate.url}/people/mara`);
    await expect(page.getByRole("heading", { name: "Accounts" })).toBeVisible();
    await look(page, "person", each);
  }
});
