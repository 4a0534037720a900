// Another bundle becomes the active one: what it changes is seen first, two people agree to a wider one, one to a narrower,
// and what was active before is gone back to by the same page.
import { type Page, expect } from "@playwright/test";

import { LOOKS, look, signIn } from "./harness/asked.ts";
import type { Gate } from "./harness/gate.ts";
import { WRITING_IS_FREE, propose, testWith } from "./harness/roles.ts";

/** Three administrators, and an auditor. */
const MEMBERS = { kit: ["administrators"], jun: ["administrators"], ola: ["administrators"], vera: ["auditors"] };
const FORBID = '@id("nobody-edits")\nforbid (principal is Agent, action == Action::"edit_file", resource);\n';

const test = testWith(MEMBERS);

async function openAs(page: Page, gate: Gate, user: string, path: string): Promise<void> {
  await signIn(page, gate, user);
  await page.goto(`${gate.url}${path}`);
}

test("two people activate a wider bundle, one a narrower one, and one goes back", async ({ page, gate, asked }) => {
  expect(asked).not.toBe("");
  const wider = propose(gate, "wider", "scope/writing.cedar", WRITING_IS_FREE);
  await openAs(page, gate, "kit", "/policies");
  await expect(page.getByRole("link", { name: "Policies" })).toHaveAttribute("aria-current", "page");
  await page.getByRole("link", { name: "What it changes" }).click();
  await expect(page).toHaveURL(`${gate.url}/policies/${wider}`);
  // Who proposed it has no say while two others are there.
  await expect(page.getByText("You proposed it, and two others can look at it.")).toBeVisible();
  await expect(page.getByRole("button", { name: "I am for it" })).toHaveCount(0);

  await openAs(page, gate, "jun", `/policies/${wider}`);
  const changes = page.getByRole("table", { name: "Recorded questions that come out differently" });
  await expect(changes.getByRole("row").first()).toContainText("newly allowed");
  await expect(changes.getByRole("rowheader", { name: "newly allowed" }).first()).toHaveClass("bad");
  await expect(changes.getByRole("row").first()).toContainText("permitted by scope by writing-is-free");
  await expect(page.getByRole("region", { name: "The files" }).locator("ins").first()).toContainText('@id("writing-is-free")');
  await expect(page.getByText("It takes 2 people; 0 for it so far.")).toBeVisible();
  // In red: the word, and what comes out.
  for (const red of [changes.getByRole("rowheader", { name: "newly allowed" }).first(), changes.getByRole("row").first().locator("td span.bad")]) {
    const [colour, plain] = await red.evaluate((element) => [getComputedStyle(element).color, getComputedStyle(document.body).color]);
    const [r, g, b] = /(\d+), (\d+), (\d+)/.exec(colour!)!.slice(1).map(Number);
    expect([colour === plain, r! > g! + 60 && r! > b! + 60]).toEqual([false, true]);
  }
  // What somebody wrote is text, with odd characters standing out.
  await expect(page.locator(".odd").first()).toBeVisible();
  for (const each of LOOKS) {
    await page.emulateMedia({ colorScheme: each.scheme });
    await page.setViewportSize(each.viewport);
    await look(page, "proposal", each);
  }
  // What is half typed stays while other records come, and so does the hand on it.
  const why = page.getByLabel("Your reason");
  await why.fill("half a");
  const told = page.waitForResponse((response) => response.url().endsWith(`${wider}/proposal`));
  gate.signInLink("ines");
  await told;
  await why.pressSequentially(" reason");
  await expect(why).toHaveValue("half a reason");
  await expect(why).toBeFocused();
  await why.fill("");
  // No vote without a reason.
  await page.getByRole("button", { name: "I am for it" }).click();
  await expect(page.getByText("reason_needed")).toBeVisible();
  await page.getByLabel("Your reason").fill("the list is what we want");
  await page.getByRole("button", { name: "I am for it" }).click();
  await expect(page.getByText("It takes 2 people; 1 for it so far.")).toBeVisible();
  await expect(page.getByText("You have voted on it.")).toBeVisible();

  await openAs(page, gate, "ola", `/policies/${wider}`);
  await page.getByLabel("Your reason").fill("so it is");
  await page.getByRole("button", { name: "I am for it" }).click();
  await page.goto(`${gate.url}/policies`);
  await expect(page.getByText(wider)).toBeVisible();
  const activated = page.getByRole("region", { name: "Activated" }).getByRole("listitem");
  await expect(activated.first()).toContainText("By User::jun, User::ola");

  // Going back is narrower here: one person does it.
  await activated.nth(1).getByRole("button", { name: "Go back to it" }).click();
  await activated.nth(1).getByLabel("Why").fill("too wide");
  const again = page.waitForResponse((response) => response.url().endsWith("/api/v1/bundles"));
  gate.signInLink("ines");
  await again;
  await activated.nth(1).getByLabel("Why").pressSequentially(" after all");
  await expect(activated.nth(1).getByLabel("Why")).toHaveValue("too wide after all");
  await activated.nth(1).getByRole("button", { name: "Propose it again" }).click();
  await expect(page.getByText("It is proved narrower: one person activates it.")).toBeVisible();
  await expect(page.getByRole("region", { name: "What is different" })).toContainText("a permit is taken away: writing-is-free");
  await page.getByLabel("Your reason").fill("back");
  await page.getByRole("button", { name: "Activate" }).click();
  await page.goto(`${gate.url}/policies`);
  await expect(activated).toHaveCount(3);
  await expect(activated.first()).toContainText("proved narrower");

  // And one more guardrail takes one, too.
  const narrower = propose(gate, "narrower", "guardrails/editing.cedar", FORBID);
  await openAs(page, gate, "kit", `/policies/${narrower}`);
  await expect(page.getByText("a guardrail is added: nobody-edits")).toBeVisible();
  await page.getByLabel("Your reason").fill("nobody edits this week");
  await page.getByRole("button", { name: "Activate" }).click();
  await page.goto(`${gate.url}/policies`);
  await expect(page.getByText(narrower)).toBeVisible();
  for (const each of LOOKS) {
    await page.emulateMedia({ colorScheme: each.scheme });
    await page.setViewportSize(each.viewport);
    await look(page, "policies", each);
  }
});

test("who activates nothing sees what is active, and no list", async ({ page, gate }) => {
  const bundle = propose(gate, "another", "guardrails/reading.cedar", FORBID.replaceAll("edit", "delet").replace("delet_file", "move_file"));
  await openAs(page, gate, "ines", "/policies");
  await expect(page.getByRole("link", { name: "What it changes" }).first()).toBeVisible();
  await expect(page.getByRole("button", { name: "Go back to it" })).toHaveCount(0);
  await page.goto(`${gate.url}/policies/${bundle}`);
  await expect(page.getByText("not_permitted_here")).toBeVisible();
  // An auditor reads it, and has no vote.
  await openAs(page, gate, "vera", `/policies/${bundle}`);
  await expect(page.getByText("The bundle does not let you activate another.")).toBeVisible();
  await expect(page.getByRole("button", { name: "Activate" })).toHaveCount(0);
});
