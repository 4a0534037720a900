// Who may do what, by the presets of `console/`: a page shows what one may see, says what it does not show, and offers
// nothing that the gate would refuse.

import { join } from "node:path";

import { expect } from "@playwright/test";

import { LOOKS, approve, inState, look, open, signIn } from "./harness/asked.ts";
import { testWith } from "./harness/roles.ts";

const MEMBERS = { vera: ["auditors"], sol: ["operators"], kit: ["administrators"], jun: ["administrators"] };

const test = testWith(MEMBERS);

test("who may not see the arguments sees that they are hidden, and stops the grant all the same", async ({ page, gate, asked, below }) => {
  await open(page, gate, asked, "mara");
  await approve(page);
  await expect(inState(page, "granted")).toBeVisible();

  // An operator: no arguments, no history, and a button that revokes.
  await signIn(page, gate, "sol");
  await page.goto(`${gate.url}/exceptions/${asked}`);
  await expect(page.getByText("What it is called with and what happened to it are not shown to you.")).toBeVisible();
  await expect(page.getByRole("heading", { level: 1 })).toContainText("write_file on Volume::files");
  expect(await page.content()).not.toContain(below);
  await expect(page.getByRole("region", { name: "History" })).toHaveCount(0);
  for (const each of LOOKS) {
    await page.emulateMedia({ colorScheme: each.scheme });
    await page.setViewportSize(each.viewport);
    await look(page, "hidden", each);
  }

  // An auditor: what happened, and nothing to do about it.
  await signIn(page, gate, "vera");
  await page.goto(`${gate.url}/exceptions/${asked}`);
  await expect(page.getByText("What it is called with is not shown to you.")).toBeVisible();
  await expect(page.getByRole("region", { name: "History" })).toContainText("User::mara approved version");
  await expect(page.getByRole("button", { name: "Revoke" })).toBeDisabled();
  await expect(page.getByText("You cannot revoke this: the bundle does not let this person do this here.")).toBeVisible();
  expect(await page.content()).not.toContain(below);

  await signIn(page, gate, "sol");
  await page.goto(`${gate.url}/exceptions/${asked}`);
  await page.getByLabel("Reason").fill("the disk is full");
  await page.getByRole("button", { name: "Revoke" }).click();
  await expect(inState(page, "revoked")).toBeVisible();
});

test("who may not see the arguments is told why the tier is higher than policy says", async ({ page, gate, asking, below }) => {
  const { model, wish } = asking;
  const odd = { tool: "write_file", args: { path: join(gate.files, below, "odd.md"), content: "Balanced. \u202Egnp.exe\n" } };
  const { id } = await model.request(await model.call(odd), { ...wish, ...odd });
  await signIn(page, gate, "sol");
  await page.goto(`${gate.url}/exceptions/${id}`);
  await expect(page.getByText("What it is called with and what happened to it are not shown to you.")).toBeVisible();
  await expect(page.locator("h1 + .chips")).toContainText("a tier higher than medium, because the arguments hold what cannot be shown as what it is");
  expect(await page.content()).not.toContain("gnp.exe");
});

test("who may see nothing is told so, and is offered nothing", async ({ page, gate, asked }) => {
  await signIn(page, gate, "kit");
  await expect(page.getByText("Nothing waits for you")).toBeVisible();
  await expect(page.getByRole("link", { name: "Findings" })).toHaveCount(0);
  await page.goto(`${gate.url}/exceptions/${asked}`);
  await expect(page.getByText("not_permitted_here")).toBeVisible();
});

test("who may erase looks first, and the second of two says whom it is about", async ({ page, gate }) => {
  // A proposal of another's stands on the page; in a gate that was just started nothing is old enough to be one.
  const line = {
    id: "ers_b1", plan: { what: "person", of: "0".repeat(64) }, digest: "1".repeat(64), reason: "they asked us to \u202E<b>now</b>",
    by: { type: "User", id: "jun" }, at: "2026-11-29T03:00:00.000Z", until: "2026-12-06T03:00:00.000Z", state: "waits",
    you_may_confirm: true,
  };
  await page.route("**/api/v1/retention", async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ json: { ...(await answer.json()), proposals: [line] } });
  });
  await signIn(page, gate, "kit");
  await page.goto(`${gate.url}/retention`);
  const propose = page.getByRole("region", { name: "Propose an erasure" });
  const look_at = propose.getByRole("button", { name: "Look at what it would erase" });
  await look_at.click();
  await expect(propose.getByLabel(/^Whom or which/)).toBeFocused();
  await propose.getByLabel(/^Whom or which/).fill("ines");
  await propose.getByLabel(/^Only what is older/).fill("9d");
  await look_at.click();
  await expect(propose).toContainText("It would erase nothing.");
  await propose.getByRole("button", { name: "Propose it" }).click();
  await expect(propose.getByLabel(/^Why\. It stays/)).toBeFocused();
  await propose.getByLabel(/^Why\. It stays/).fill("they asked us to");
  await propose.getByRole("button", { name: "Propose it" }).click();
  await expect(propose).toContainText("nothing_to_erase");
  // What is filled in otherwise was not looked at.
  await propose.getByLabel(/^Whom or which/).fill("tom");
  await expect(propose.getByRole("button", { name: "Propose it" })).toHaveCount(0);

  const waits = page.getByRole("region", { name: "Erasures that wait" });
  await expect(waits).toContainText("or nothing is erased");
  await expect(waits).toContainText("<b>now</b>");
  await expect(waits.locator(".odd")).toHaveCount(1);
  const confirm = waits.getByRole("button", { name: /^Confirm and erase/ });
  await confirm.click();
  const whom = waits.getByLabel("Whom it is about, as jun told you");
  await expect(whom).toBeFocused();
  await whom.fill("ines");
  const asked = page.waitForRequest("**/api/v1/erasures/ers_b1/confirm");
  await confirm.click();
  expect((await asked).postDataJSON()).toEqual({ what: { person: "ines" }, shown: "1".repeat(64) });
  await expect(page.getByText("unknown_erasure")).toBeVisible();
  for (const each of LOOKS) {
    await page.emulateMedia({ colorScheme: each.scheme });
    await page.setViewportSize(each.viewport);
    await look(page, "erasures", each);
  }
});
