// What is kept, held and owned: legal holds and erasures in numbers, what somebody who leaves leaves behind, and the record
// as a file.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

import { type Page, expect } from "@playwright/test";

import { LOOKS, look, open, test } from "./harness/asked.ts";
import type { Gate } from "./harness/gate.ts";
import { PROVISO } from "./harness/places.ts";

const INTERN = "spiffe://acme.example/agent/intern-bot";

async function signIn(page: Page, gate: Gate, user: string, path: string): Promise<void> {
  await page.goto(gate.signInLink(user));
  await expect(page.getByRole("heading", { name: "Queue" })).toBeVisible();
  await page.goto(`${gate.url}${path}`);
}

test("a hold that the operator places stands on the page by itself, and goes when it is lifted", async ({ page, gate }) => {
  await signIn(page, gate, "mara", "/record");
  await page.getByRole("link", { name: "Retention" }).click();
  const holds = page.getByRole("region", { name: "Legal holds" });
  await expect(holds).toContainText("Nothing is on hold.");
  await expect(page.getByRole("region", { name: "What was erased" })).toContainText("Nothing was ever erased.");
  gate.run("hold", "place", "--of", "User::ines", "--reason", "case 12 \u202E<b>now</b>");
  await expect(holds).toContainText("whatever speaks of User::ines");
  await expect(holds).toContainText("<b>now</b>");
  await expect(holds.locator(".odd")).toHaveCount(1);
  const id = /hold_\w+/.exec(gate.run("hold", "list"))![0];
  gate.run("hold", "lift", id, "--reason", "settled");
  await expect(holds).toContainText("Nothing is on hold.");
});

test("who leaves hands over what is theirs, and what is left stands there with the operator's commands", async ({ page, gate }) => {
  await signIn(page, gate, "jun", "/ownership");
  await expect(page.getByText("Bundle and log agree")).toBeVisible();
  await page.getByRole("link", { name: /^jun 1 agent/ }).click();
  await expect(page.getByRole("heading", { name: "What you would leave behind" })).toBeVisible();
  const agents = page.getByRole("region", { name: "Agents" });
  await expect(agents).toContainText("jun's, by the bundle");
  const hand = agents.getByRole("button", { name: `Hand over ${INTERN}` });
  // Neither without an heir, nor without a reason, nor to nobody.
  await hand.click();
  await expect(page.getByLabel("Who is to have it: a person's id")).toBeFocused();
  await page.getByLabel("Who is to have it: a person's id").fill("nobody");
  await hand.click();
  await expect(page.getByLabel("Why")).toBeFocused();
  await page.getByLabel("Why").fill("another team has it now");
  await hand.click();
  await expect(page.getByText("unknown_person")).toBeVisible();
  await page.getByLabel("Who is to have it: a person's id").fill("kit");
  await hand.click();
  await expect(agents).toHaveCount(0);

  // Somebody who is not here hands nothing over: the operator does.
  await signIn(page, gate, "mara", "/departures/kit");
  await expect(page.getByRole("heading", { name: "What kit would leave behind" })).toBeVisible();
  await expect(page.getByRole("region", { name: "Agents" })).toContainText("kit's, by a hand-over");
  await expect(page.getByRole("button", { name: /^Hand over/ })).toHaveCount(0);
  const operator = page.getByLabel("The operator's commands");
  await expect(operator).toContainText("proviso owner departed kit");
  gate.run("owner", "departed", "kit", "--reason", "left the company");
  await expect(page.getByText(/^left at /)).toBeVisible();
  await expect(operator).not.toContainText("departed");
  await page.getByRole("link", { name: "Ownership" }).first().click();
  const disagree = page.getByRole("region", { name: "Where bundle and log disagree" });
  await expect(disagree).toContainText(`${INTERN} is kit's since it was handed over; by the bundle it is jun's.`);
  await expect(disagree).toContainText("kit left, and the bundle still has them as a member of operations.");
  const kit = page.getByRole("listitem").filter({ has: page.locator('a[href="/departures/kit"][data-line]') });
  await expect(kit).toContainText("needs new owners");
  // What the page says is what the operator runs.
  gate.run("owner", "hand-over", "--agent", `Agent::${INTERN}`, "--from", "User::kit", "--to", "User::jun", "--reason", "back again");
  await expect(kit).not.toContainText("needs new owners");
  gate.run("owner", "returned", "kit", "--reason", "a mistake");
  await expect(page.getByText("Bundle and log agree")).toBeVisible();
});

test("the record is taken as a file from the history and from an exception, and proves itself", async ({ page, gate, asked }) => {
  await open(page, gate, asked);
  await page.getByRole("region", { name: "History" }).getByRole("button", { name: "Export …" }).click();
  const dialog = page.getByRole("dialog", { name: "Export the record" });
  await expect(dialog.getByLabel("Exception, by id")).toHaveValue(asked);
  const take = dialog.getByRole("button", { name: "Export", exact: true });
  let saved = page.waitForEvent("download");
  await take.click();
  const proofs = await (await saved).path();
  expect((await saved).suggestedFilename()).toBe(`proviso-${asked}.json`);
  expect(readFileSync(proofs, "utf8")).toContain("exception_requested");
  // Proofs prove nothing by themselves: whoever checks them has the keys from elsewhere.
  const keys = gate.run("audit", "keys").split("\n").flatMap((key) => ["--key", key]);
  execFileSync(PROVISO, ["audit", "verify", "--proofs", proofs, ...keys]);
  await expect(dialog).toBeHidden();

  await page.goto(`${gate.url}/?tab=history`);
  await page.getByRole("button", { name: "Export …" }).click();
  await dialog.getByLabel("CSV").check();
  await dialog.getByLabel("From (UTC)").fill("2026-11-29T16:00");
  await dialog.getByLabel("Up to, not included (UTC)").fill("2026-11-29T15:00");
  await expect(dialog.getByText("The end does not lie behind the beginning")).toBeVisible();
  await expect(take).toHaveAttribute("aria-disabled", "true");
  await dialog.getByLabel("From (UTC)").fill("");
  await dialog.getByLabel("Up to, not included (UTC)").fill("2020-01-01T00:00");
  saved = page.waitForEvent("download");
  await take.click();
  const table = readFileSync(await (await saved).path(), "utf8").trim().split("\n");
  expect(table).toHaveLength(1);
  // What breaks off is not kept, and the dialog says so.
  await page.getByRole("button", { name: "Export …" }).click();
  await page.route("**/api/v1/record/export*", (route) => route.abort("connectionreset"));
  await take.click();
  await expect(dialog.getByText("The gate does not answer.")).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(dialog).toBeHidden();
});

const ERASED = {
  payloads: [{ class: "arguments", count: 1204 }, { class: "decisions", count: 388 }, { class: "exceptions", count: 31 }],
  replays: 388, previews: 17, exceptions: 4, findings: 402,
};

for (const looks of LOOKS) {
  test(`looks of what is kept and owned: ${looks.scheme}, ${looks.name}`, async ({ page, gate, asked }) => {
    await page.emulateMedia({ colorScheme: looks.scheme });
    await page.setViewportSize(looks.viewport);
    await signIn(page, gate, "mara", "/ownership");
    await expect(page.getByRole("region", { name: "People" })).toBeVisible();
    await look(page, "ownership", looks);
    await page.goto(`${gate.url}/departures/tom`);
    await expect(page.getByRole("region", { name: "Agents" })).toBeVisible();
    await look(page, "departure", looks);
    // Nothing is old in a gate that was just started, so these numbers are told for it.
    await page.route("**/api/v1/retention", async (route) => {
      const answer = await route.fetch();
      const line = (run: string, what: string, more: object) =>
        ({ run, what, by: "root", reason: "a customer asked us to", at: "2026-11-20T09:30:00Z", erased: ERASED, ...more });
      await route.fulfill({
        json: {
          ...(await answer.json()),
          keep: [{ class: "arguments", age: "90d" }, { class: "decisions", age: "400d" }],
          looked_at: "2026-11-29T03:00:00Z",
          holds: [
            { id: "hold_7Qm2kD", of: { type: "User", id: "ines" }, reason: "case 12/2026", by: "root", at: "2026-11-01T08:00:00Z" },
            { id: "hold_9xT4aa", exception: asked, reason: "case 14/2026", by: "root", at: "2026-11-02T08:00:00Z" },
          ],
          erased: ERASED,
          erasures: [line("era_b1", "age", { older_than: "90d", by: "retention" }), line("era_a9", "person", {})],
          earlier: 12,
        },
      });
    });
    await page.goto(`${gate.url}/retention`);
    await expect(page.getByText("case 14/2026")).toBeVisible();
    await look(page, "retention", looks);
    await page.getByRole("button", { name: "Export …" }).click();
    await expect(page.getByRole("dialog")).toBeVisible();
    await look(page, "export", looks);
  });
}
