// Words from outside, wherever a page shows them: plain text with odd characters made visible, never an element, and what
// somebody claims is told as a claim.
import { userInfo } from "node:os";

import { type Locator, type Page, expect } from "@playwright/test";

import { inState, open, test as base } from "./harness/asked.ts";
import type { Gate } from "./harness/gate.ts";

/** What would run if it were markup, and turn the text around if it were not made visible. */
const LOUD = (what: string) => `${what} <img src=x onerror="document.title='owned'"> \u202Egnp.exe`;
/** As it is shown. */
const shown = (what: string) => new RegExp(`${what} <img src=x onerror="document.title='owned'"> (?:⟨)?U\\+202E(?:⟩)?gnp\\.exe`);

/** A task whose id reads as markup wherever it is not escaped: an id holds no `<`, and this needs none. */
const test = base.extend({ task: async ({}, use, info) => use(`q4-&lt;b&gt;bold&lt;/b&gt;-${info.testId}`) });

/** Nothing of what others wrote became an element or ran. */
async function onlyText(page: Page): Promise<void> {
  await expect(page.locator("img")).toHaveCount(0);
  await expect(page.locator("b", { hasText: /^(bold|done)$/ })).toHaveCount(0);
  expect(await page.title()).not.toBe("owned");
}

async function say(page: Page, words: string, button: string): Promise<void> {
  await page.getByLabel("Reason").fill(words);
  const named = page.getByRole("button", { name: button, exact: true });
  await expect(named).toBeEnabled();
  await named.click();
}

const region = (page: Page, name: string): Locator => page.getByRole("region", { name });

/** mara asks something, ines claims something. */
async function questioned(page: Page, gate: Gate, asked: string): Promise<void> {
  await open(page, gate, asked);
  await expect(region(page, "If you say yes")).toContainText("nothing: every dimension is fixed");
  await expect(region(page, "Questions and answers")).toHaveCount(0);
  await say(page, LOUD("which quarter?"), "Ask");
  await expect(region(page, "Questions and answers")).toContainText("Nobody has answered.");
  await open(page, gate, asked, "ines");
  await say(page, LOUD("the fourth"), "Answer this");
  await expect(region(page, "Questions and answers")).toContainText("ines claims");
}

test("a question stands with its answer under it, as the answerer's claim", async ({ page, gate, asked }) => {
  await questioned(page, gate, asked);
  await open(page, gate, asked, "ola");
  const questions = region(page, "Questions and answers");
  await expect(questions).toContainText("mara asks:");
  await expect(questions).toContainText(shown("which quarter\\?"));
  const claim = questions.locator(".quote");
  await expect(claim).toContainText("ines claims · untrusted text");
  await expect(claim).toContainText(shown("the fourth"));
  await expect(region(page, "History")).toContainText(shown("the fourth"));
  await onlyText(page);
});

test("the newest words of an agent stand first, and that they changed is said", async ({ page, gate, asking }) => {
  const { model, refusal, wish, id } = asking;
  await open(page, gate, id);
  const says = region(page, "What the agent says");
  await expect(says.getByText("changed", { exact: true })).toHaveCount(0);
  const again = await model.request(refusal, { ...wish, why: LOUD("The board waits.") });
  expect(again.id).toBe(id);
  await expect(page.getByText("The agent asked again since this page was loaded.")).toBeVisible();
  await page.getByRole("button", { name: "Load the new sheet" }).click();
  await expect(says.getByText("changed", { exact: true })).toBeVisible();
  await expect(says.locator(".quote").first()).toContainText(shown("The board waits\\."));
  await expect(says.locator(".quote").last()).toContainText("Approve at once!");
  await expect(page.locator(".chips").first()).toContainText("asked 2 times");
  await expect(region(page, "History")).toContainText("in other words than before");
  // The same words once more are a repeat, and no change.
  await model.request(refusal, { ...wish, why: LOUD("The board waits.") });
  await page.reload();
  await expect(page.locator(".chips").first()).toContainText("asked 3 times");
  await expect(says.getByText("changed", { exact: true })).toHaveCount(0);
  await expect(region(page, "History").getByText("in other words than before")).toHaveCount(1);
  await onlyText(page);
});

test("whatever others wrote is text on every page", async ({ page, gate, asked, task }) => {
  await page.goto(gate.signInLink("mara"));
  const line = page.locator("a[data-line]", { has: page.getByText(task, { exact: true }) });
  await expect(line).toContainText(`in task ${task} on `);
  await expect(line).toContainText("spiffe://acme.example/agent/report-writer");
  await onlyText(page);

  await questioned(page, gate, asked);
  await open(page, gate, asked);
  await expect(region(page, "Who asks").getByRole("row", { name: "task" })).toContainText(task);
  await expect(region(page, "Who asks")).toContainText('Agent::"spiffe://acme.example/agent/report-writer"');
  await expect(region(page, "What will run").getByRole("row", { name: "server" })).toContainText("files");
  await expect(region(page, "What will run").locator(".call")).toHaveText("write_file");
  await expect(page.locator(".chips").first()).toContainText(`task ${task}`);
  await say(page, LOUD("not in this quarter"), "Refuse");
  await expect(inState(page, "denied")).toBeVisible();
  await expect(page.locator(".notice", { hasText: "Refused by mara" })).toContainText(shown("not in this quarter"));
  const history = region(page, "History");
  for (const said of ["which quarter\\?", "the fourth", "not in this quarter"]) {
    await expect(history).toContainText(shown(said));
  }
  await expect(history).toContainText("Approve at once!");
  await onlyText(page);

  await page.goto(`${gate.url}/reviews`);
  const closed = page.locator("li", { has: page.locator(`a[href$="${asked}"]`) });
  await expect(closed).toContainText("spiffe://acme.example/agent/report-writer");
  await onlyText(page);
});

test("what was minted in a person's name is told at the next sign-in, and once", async ({ page, gate, task }) => {
  const who = "mara";
  await page.goto(gate.signInLink(who));
  await expect(page.getByRole("heading", { name: "Queue" })).toBeVisible();
  await page.getByRole("button", { name: "Sign out" }).click();
  const subject = "Agent::spiffe://acme.example/agent/report-writer";
  gate.run("token", "agent", "--subject", subject, "--task", task, "--for", who);
  const { tokens } = JSON.parse(gate.run("token", "list", "--json")) as { tokens: { id: string; what: string }[] };
  const id = tokens.find(({ what }) => what.includes(task))?.id ?? "nothing was minted";

  await page.goto(gate.signInLink(who));
  const told = page.locator(".notice", { hasText: "Minted in your name since you last signed in" });
  const row = told.locator("li", { hasText: id });
  await expect(row).toContainText(`agent for ${subject} in task ${task} for User::${who}`);
  await expect(row).toContainText(`by operating-system user ${userInfo().username}`);
  await onlyText(page);
  await told.getByRole("button", { name: "I know these" }).click();
  await expect(told).toHaveCount(0);
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.goto(gate.signInLink(who));
  await expect(page.getByRole("heading", { name: "Queue" })).toBeVisible();
  await expect(page.getByText(id)).toHaveCount(0);
});
