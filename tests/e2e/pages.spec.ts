// Agents, pictures, made-up questions, and a yes of the strongest tier: on the real gate, with its own module.
import { join } from "node:path";

import { type Page, expect } from "@playwright/test";

import { LOOKS, approve, inState, look, open, signIn, test } from "./harness/asked.ts";
import type { Gate } from "./harness/gate.ts";
import { POST_JOURNAL, Point } from "./harness/point.ts";

const REPORT_WRITER = "spiffe://acme.example/agent/report-writer";

async function inEveryLook(page: Page, what: string): Promise<void> {
  for (const each of LOOKS) {
    await page.emulateMedia({ colorScheme: each.scheme, reducedMotion: "reduce" });
    await page.setViewportSize(each.viewport);
    await look(page, what, each);
  }
}

/** A request of the strongest tier: a regulated journal, which takes finance and security. */
async function ofTheStrongestTier(gate: Gate, task: string): Promise<string> {
  const point = new Point(gate, `desk-${task}`, "ledger");
  return point.request({ ...POST_JOURNAL, resource: { type: "Dataset", id: "finance/ledger-eu" } }, point.token(task), "The quarter closes.");
}

test("a yes of the strongest tier names what it is on, and the gate checks it", async ({ page, gate, task }) => {
  const id = await ofTheStrongestTier(gate, task);
  await open(page, gate, id);
  const yes = page.getByRole("region", { name: "Decide" }).getByRole("button", { name: "Approve" });
  await expect(yes).toBeEnabled();
  await page.getByLabel("Reason").fill("The close needs it.");
  await yes.click();
  const dialog = page.getByRole("dialog", { name: "This is of the strongest tier" });
  await expect(dialog.getByLabel("Its name")).toBeFocused();
  await inEveryLook(page, "confirm");
  await dialog.getByLabel("Its name").fill("finance/ledger-us");
  await expect(dialog.getByRole("button", { name: "Approve" })).toHaveAttribute("aria-disabled", "true");
  await dialog.getByLabel("Its name").fill("finance/ledger-eu");
  const sent = page.waitForRequest((request) => request.url().endsWith("/votes"));
  await dialog.getByRole("button", { name: "Approve" }).click();
  expect((await sent).postDataJSON().confirm).toBe("finance/ledger-eu");
  await expect(page.getByText("Your approval counts. Another person has to approve, too.").first()).toBeVisible();
});

test("an agent's page says what it may do today, and by which record or policy", async ({ page, gate, asked, task }) => {
  await open(page, gate, asked);
  await approve(page);
  await expect(inState(page, "granted")).toBeVisible();
  await page.goto(`${gate.url}/agents`);
  await expect(page.locator("a[data-line]", { hasText: "report-writer" })).toContainText("live grant");
  await inEveryLook(page, "agents");
  await page.getByLabel("Search").fill("report-writer");
  await page.locator("a[data-line]").first().click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(REPORT_WRITER);
  const today = page.getByRole("region", { name: "Its calls of late, asked again now" });
  const row = today.getByRole("row", { name: task }).filter({ hasText: "writes" });
  await expect(row).toContainText("allowed, by a grant");
  await expect(row.getByRole("link", { name: "the grant" })).toHaveAttribute("href", `/exceptions/${asked}`);
  await expect(page.getByRole("region", { name: "Never, whatever anybody grants" })).toContainText("guardrails/");
  await page.getByRole("region", { name: "May be asked for" }).getByText("writing-a-file-needs-one", { exact: true }).click();
  await expect(page.getByRole("region", { name: "May be asked for" })).toContainText("context.input.path like");
  await inEveryLook(page, "agent");
  await expect(page.getByRole("link", { name: "Lock this agent" })).toHaveAttribute("href", /\/locks\?subject=Agent/);
});

test("a question is made up from a record and evaluated here, and a link asks the same", async ({ page, gate, asked, task }) => {
  await signIn(page, gate);
  await page.goto(`${gate.url}/agents?type=Agent&id=${encodeURIComponent(REPORT_WRITER)}`);
  const row = page.getByRole("region", { name: "Its calls of late, asked again now" }).getByRole("row", { name: task }).filter({ hasText: "writes" });
  await row.getByRole("link", { name: "what if" }).click();
  const answer = page.getByRole("region", { name: "What the module says" });
  await expect(answer).toContainText("may be asked for");
  await expect(answer).toContainText("Evaluated in this browser by module");
  await expect(page.getByLabel("arguments")).toHaveValue(/U\+202E|q4\.md/);
  await page.getByLabel("arguments").fill(JSON.stringify({ path: "/etc/passwd", content: "x" }));
  await page.getByRole("button", { name: "Ask" }).click();
  await expect(answer).toContainText("denied");
  await page.reload();
  await expect(answer).toContainText("denied");
  await expect(page.getByLabel("arguments")).toHaveValue(/etc\/passwd/);
  await inEveryLook(page, "what-if");
  await page.getByLabel("arguments").fill("{");
  await page.getByRole("button", { name: "Ask" }).click();
  await expect(page.getByText("The arguments are no JSON").first()).toBeVisible();
  expect(asked).toBeTruthy();
});

test("pictures are drawn of what there is, and each opens the list behind it", async ({ page, gate, asked }) => {
  await open(page, gate, asked);
  await page.getByLabel("Reason").fill("Not now.");
  await page.getByRole("button", { name: "Refuse" }).click();
  await expect(inState(page, "denied")).toBeVisible();
  await page.goto(`${gate.url}/pictures`);
  const requests = page.getByRole("region", { name: "Requests by tier and outcome" });
  await expect(requests.getByRole("img", { name: /^Requests by day/ })).toBeVisible();
  await expect(page.getByRole("region", { name: "Times of people" })).toContainText("decisions");
  await inEveryLook(page, "pictures");
  await requests.getByRole("link", { name: /denied/ }).click();
  await expect(page).toHaveURL(/tab=all.*state=denied/);
  await expect(page.locator(`a[href$="${asked}"]`)).toBeVisible();
});

test("what became of the like, and what differs most, stand beside the request", async ({ page, gate, asking, below }) => {
  await open(page, gate, asking.id);
  await approve(page);
  await expect(inState(page, "granted")).toBeVisible();
  const { model, wish } = asking;
  const other = { tool: "write_file", args: { ...wish.args, path: join(gate.files, below, "q5.md") } };
  const { id } = await model.request(await model.call(other), { ...wish, ...other });
  await page.goto(`${gate.url}/exceptions/${id}`);
  const past = page.getByRole("region", { name: "What became of the like" });
  await expect(past).toContainText(/The like was asked for .* before/);
  await expect(past).toContainText(/\d+ granted/);
  const differs = page.locator(".differs");
  await expect(differs).toContainText(/Differs most from the last approved one in .*path/);
  await expect(differs).toContainText("q5.md");
  await expect(differs.getByRole("link", { name: "the last approved one" })).toHaveAttribute("href", `/exceptions/${asking.id}`);
});

test("the pieces of the pages and the list of keys look right, and are accessible", async ({ page, gate }) => {
  await signIn(page, gate);
  await page.goto(`${gate.url}/design`);
  await expect(page.getByRole("heading", { name: "The pieces of these pages" })).toBeVisible();
  // What is shown there of text from outside is text, too.
  await expect(page.getByText("<b>not bold</b>")).toBeVisible();
  await expect(page.locator("b", { hasText: /^not bold$/ })).toHaveCount(0);
  await inEveryLook(page, "design");
  await page.getByRole("button", { name: "Keys" }).click();
  await expect(page.getByRole("dialog", { name: "Keys" })).toBeVisible();
  await inEveryLook(page, "help");
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog", { name: "Keys" })).toHaveCount(0);
});
