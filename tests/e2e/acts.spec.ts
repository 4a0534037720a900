// What people decide beside votes on requests, signed where the bundle takes signatures: another bundle, what was made before
// a restore, a lock that is lifted, an emergency. An authenticator that is cancelled decides nothing, loses nothing, and what to do is said.
import { mkdirSync } from "node:fs";
import { join } from "node:path";

import { type Locator, type Page, expect } from "@playwright/test";

import { inState, watched } from "./harness/asked.ts";
import { Gate } from "./harness/gate.ts";
import { type Authenticator, demandSignatures, enrol, heading, here, named, plug, present } from "./harness/passkeys.ts";
import { Point } from "./harness/point.ts";
import { WRITING_IS_FREE, propose, withRoles } from "./harness/roles.ts";

/** A gate for each test: only the first passkey of a person counts at once. With members it has the presets of `console/`. */
const test = watched.extend<{ members: Record<string, string[]>; gate: Gate }>({
  members: [{}, { option: true }],
  gate: async ({ members }, use) => {
    const at = await named();
    const gate = await Gate.start("single-user", (folder) => {
      demandSignatures(folder);
      if (Object.keys(members).length > 0) withRoles(join(folder, "bundle"), members);
      return at;
    });
    await use(gate);
    await gate.stop();
  },
});

/** How many signatures the record holds, each verified offline. */
function signatures(gate: Gate): number {
  const told = JSON.parse(gate.run("audit", "verify", "--json"));
  expect(told.verified).toBe(true);
  return told.signatures;
}

/** Does it with nobody at the authenticator: the page says so, and how to go on. */
async function cancelled(page: Page, authenticator: Authenticator, button: Locator): Promise<void> {
  await present(authenticator, false);
  await button.click();
  await expect(page.locator(".notice.bad", { hasText: "No authenticator answered" })).toBeVisible();
  await present(authenticator, true);
}

/** Writing into a folder, asked for in a task. */
async function writing(gate: Gate, task: string): Promise<string> {
  const point = new Point(gate, `desk-${task}`, "files");
  mkdirSync(join(gate.files, "reports", task), { recursive: true });
  const input = { path: join(gate.files, "reports", task, "q4.md"), content: "Balanced.\n" };
  return point.request({ server: "files", action: "write_file", resource: { type: "Volume", id: "files" }, input }, point.token(task), "It is due.");
}

test.describe("with administrators", () => {
  test.use({ members: { kit: ["administrators"], jun: ["administrators"], ola: ["administrators"] } });

  test("two people sign for another bundle, and a cancelled authenticator votes for none", async ({ page, gate, another }) => {
    const wider = propose(gate, "wider", "scope/writing.cedar", WRITING_IS_FREE);
    const authenticator = await enrol(page, gate, "jun");
    await page.goto(`${here(gate)}/policies/${wider}`);
    await expect(page.getByText("It takes 2 people; 0 for it so far.")).toBeVisible();
    const why = page.getByLabel("Your reason");
    await why.fill("the list is what we want");
    const vote = page.getByRole("button", { name: "I am for it" });
    await cancelled(page, authenticator, vote);
    await expect(why).toHaveValue("the list is what we want");
    await expect(page.getByText("It takes 2 people; 0 for it so far.")).toBeVisible();
    expect(signatures(gate)).toBe(0);
    await vote.click();
    await expect(page.getByText("It takes 2 people; 1 for it so far.")).toBeVisible();
    expect(signatures(gate)).toBe(1);

    const other = await another();
    await enrol(other, gate, "ola");
    await other.goto(`${here(gate)}/policies/${wider}`);
    await other.getByLabel("Your reason").fill("so it is");
    const cast = other.waitForResponse((response) => response.url().endsWith(`/bundles/${wider}/activate`));
    await other.getByRole("button", { name: "I am for it" }).click();
    expect((await cast).status()).toBe(200);
    expect(signatures(gate)).toBe(2);
    await other.goto(`${here(gate)}/policies`);
    await expect(other.getByRole("region", { name: "Activated" }).getByRole("listitem").first()).toContainText("By User::jun, User::ola");
  });
});

test("what was asked before a restore is signed on its own page, to which the list leads", async ({ page, gate }) => {
  const id = await writing(gate, "listed");
  const restored = await Gate.restored(gate, await named());
  try {
    const authenticator = await enrol(page, restored, "mara");
    await page.goto(`${here(restored)}/record`);
    const card = page.getByRole("region", { name: "This record was restored" });
    const line = card.getByRole("listitem").filter({ has: page.locator(`a[href="/exceptions/${id}"]`) });
    // The whole sheet is signed, and a list does not show it.
    const sign = line.getByRole("link", { name: "Look at it, and sign" });
    await expect(sign).toBeVisible();
    await expect(line.getByRole("button", { name: "Confirm" })).toHaveCount(0);
    await sign.click();
    await expect(page).toHaveURL(`${here(restored)}/exceptions/${id}`);

    const bar = page.getByRole("region", { name: "Confirm" });
    const [why, confirm] = [bar.getByLabel("Reason"), bar.getByRole("button", { name: "Confirm that it still stands" })];
    await why.fill("the report is still due");
    await cancelled(page, authenticator, confirm);
    await expect(why).toHaveValue("the report is still due");
    await expect(inState(page, "unconfirmed")).toBeVisible();
    expect(signatures(restored)).toBe(0);
    await confirm.click();
    await expect(inState(page, "requested")).toBeVisible();
    expect(signatures(restored)).toBe(1);
    await page.goto(`${here(restored)}/record`);
    await expect(card).toBeVisible();
    await expect(line).toHaveCount(0);
  } finally {
    await restored.stop();
  }
});

test("a lock is lifted by a signature, stands while there is none, and who has no passkey is told what it takes", async ({ page, gate, another }) => {
  const authenticator = await enrol(page, gate, "mara");
  await page.goto(`${here(gate)}/locks?task=close-q4`);
  await page.getByLabel("Why", { exact: true }).fill("Something is odd.");
  await page.getByRole("button", { name: "Lock", exact: true }).click();
  const lock = page.locator(".locks li", { hasText: "close-q4" });
  await expect(lock).toBeVisible();
  const lift = lock.getByRole("button", { name: "Lift" });
  await cancelled(page, authenticator, lift);
  await expect(lock).toBeVisible();

  // An authenticator that holds no passkey of theirs lifts nothing, whatever it answers.
  const other = await another();
  await plug(other);
  await other.goto(gate.signInLink("ola"));
  await expect(heading(other, "Queue")).toBeVisible();
  await other.goto(`${here(gate)}/locks`);
  await other.locator(".locks li", { hasText: "close-q4" }).getByRole("button", { name: /^(Lift|Ask for it to be lifted)$/ }).click();
  await expect(other.locator(".notice.bad code")).toHaveText("no_passkey");
  await expect(other.locator(".notice.bad")).toContainText("Add a passkey on your page.");
  expect(signatures(gate)).toBe(0);

  await lift.click();
  await expect(lock).toHaveCount(0);
  expect(signatures(gate)).toBe(1);
});

test("an emergency is declared by a signature over the sheet, and by none that was cancelled", async ({ page, gate }) => {
  const id = await writing(gate, "urgent");
  const authenticator = await enrol(page, gate, "mara");
  await page.goto(`${here(gate)}/exceptions/${id}`);
  const [why, declare] = [page.getByLabel("Reason"), page.getByRole("button", { name: "Declare an emergency" })];
  await why.fill("The books close in an hour.");
  await cancelled(page, authenticator, declare);
  await expect(why).toHaveValue("The books close in an hour.");
  await expect(page.locator("h1 + .chips")).not.toContainText("emergency declared");
  expect(signatures(gate)).toBe(0);
  await declare.click();
  await expect(page.locator("h1 + .chips")).toContainText("emergency declared by mara");
  expect(signatures(gate)).toBe(1);
});
