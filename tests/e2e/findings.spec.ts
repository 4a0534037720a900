// What ran otherwise than it was approved: the list follows the gate, one finding shows evidence beside decision, and a
// person comments, takes, hands over, locks and resolves it.
import { randomUUID } from "node:crypto";

import { type Page, expect } from "@playwright/test";

import { AGENT, LOOKS, look, test } from "./harness/asked.ts";
import type { Gate } from "./harness/gate.ts";

/** An enforcement point at the tool tells of a call of `write_file` that went round the gate. */
async function ranPastTheGate(gate: Gate, subject: string): Promise<string> {
  const point = gate.run("token", "enforcement-point", "--name", "at-the-tool", "--subjects", "Agent::*", "--servers", "files");
  const [type, ...id] = subject.split("::");
  const name = randomUUID();
  const answer = await fetch(`${gate.url}/api/v1/executions`, {
    method: "POST",
    headers: { authorization: `Bearer ${point}`, "content-type": "application/json" },
    body: JSON.stringify({
      evidence_id: name, phase: "executed", subject: { type, id: id.join("::") }, action: "write_file", server: "files",
      host: "worker-3", task: `task-${name}`, started_at: new Date().toISOString(),
    }),
  });
  expect(answer.status).toBe(204);
  return name;
}

async function signIn(page: Page, gate: Gate, user: string): Promise<void> {
  await page.goto(gate.signInLink(user));
  await expect(page.getByRole("heading", { name: "Queue" })).toBeVisible();
}

const line = (page: Page, name: string) => page.locator("li", { hasText: `task-${name}` });

test("a finding appears by itself, and is commented, taken, handed over and resolved", async ({ page, gate }) => {
  await signIn(page, gate, "mara");
  await page.goto(`${gate.url}/findings`);
  await expect(page.getByRole("heading", { name: "Findings" })).toBeVisible();
  const name = await ranPastTheGate(gate, AGENT.subject);
  // The job finds it, and the list shows it without a reload.
  await expect(line(page, name)).toContainText("the gate was never asked");
  await expect(line(page, name).locator(".chips")).toContainText("observed");
  await expect(page.getByRole("link", { name: /^Findings \d+ not resolved$/ })).toBeVisible();
  // The filter stands in the address.
  await page.getByLabel("Kind").selectOption("ran_without_decision");
  await expect(page).toHaveURL(/\/findings\?kind=ran_without_decision$/);
  await expect(line(page, name)).toBeVisible();
  await page.getByLabel("Kind").selectOption("never_ran");
  await expect(line(page, name)).toHaveCount(0);
  await page.goto(`${gate.url}/findings?kind=ran_without_decision`);
  await line(page, name).getByRole("link").click();

  await expect(page.getByRole("region", { name: "What ran" })).toContainText("worker-3");
  await expect(page.getByRole("region", { name: "What was decided" })).toContainText("decided nothing that is like it");
  const words = page.getByLabel("Your words: a comment, or why");
  const history = page.getByRole("region", { name: "History" });
  await words.fill("Who started the server by hand? \u202E<b>me</b>");
  await page.getByRole("button", { name: "Comment" }).click();
  await expect(history).toContainText("<b>me</b>");
  await expect(history.locator(".odd")).toHaveCount(1);
  // Without a reason nothing is handed over, and the page says why.
  await page.getByRole("button", { name: "Take it" }).click();
  await expect(page.getByRole("strong").filter({ hasText: /needs a reason/ })).toBeVisible();
  await words.fill("mine");
  await page.getByRole("button", { name: "Take it" }).click();
  await expect(page.getByRole("region", { name: "About" })).toContainText("User::mara");
  await words.fill("yours");
  await page.getByLabel("Whom to hand it to").fill("ola");
  await page.getByRole("button", { name: "Hand it over" }).click();
  await expect(page.getByRole("region", { name: "About" })).toContainText("User::ola");
  await page.getByRole("button", { name: "I look at it" }).click();
  await expect(page.locator(".chips").first()).toContainText("looked at");
  await words.fill("It was the migration, as agreed.");
  await page.getByRole("button", { name: "As it should be" }).click();
  await expect(page.locator(".chips").first()).toContainText("as it should be");
  await page.goto(`${gate.url}/findings`);
  await expect(page.getByRole("heading", { name: "Findings" })).toBeVisible();
  await expect(line(page, name)).toHaveCount(0);
  await page.goto(`${gate.url}/findings?state=resolved`);
  await expect(line(page, name)).toContainText("as it should be");
});

test("an agent is locked from its finding", async ({ page, gate }) => {
  await signIn(page, gate, "mara");
  const name = await ranPastTheGate(gate, "Agent::spiffe://acme.example/agent/intern-bot");
  await page.goto(`${gate.url}/findings`);
  await line(page, name).getByRole("link").click();
  await page.getByLabel("Your words: a comment, or why").fill("Until we know who starts it.");
  await page.getByRole("button", { name: "Lock the agent" }).click();
  await expect(page.getByRole("region", { name: "History" })).toContainText("locked the subject");
  await expect(page.getByRole("button", { name: "Lock the agent" })).toHaveCount(0);
  await page.goto(`${gate.url}/findings`);
  await expect(line(page, name).locator(".chips")).toContainText("locked");
});

for (const looks of LOOKS) {
  test(`looks of findings: ${looks.scheme}, ${looks.name}`, async ({ page, gate }) => {
    await page.emulateMedia({ colorScheme: looks.scheme });
    await page.setViewportSize(looks.viewport);
    await signIn(page, gate, "mara");
    const name = await ranPastTheGate(gate, AGENT.subject);
    await page.goto(`${gate.url}/findings`);
    await expect(line(page, name)).toBeVisible();
    await look(page, "findings", looks);
    await line(page, name).getByRole("link").click();
    await expect(page.getByRole("region", { name: "What ran" })).toContainText("worker-3");
    await look(page, "finding", looks);
  });
}
