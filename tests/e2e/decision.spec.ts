// What the decision page tells and asks for besides the call: who vouches for each hop, what a yes would leave open, how
// long the like was needed, what another voter said; and what it does to whoever leaves it, or presses twice.
import { mkdirSync } from "node:fs";
import { join } from "node:path";

import { type Locator, type Page, expect } from "@playwright/test";

import { AGENT, approve, inState, open, press, signIn, test } from "./harness/asked.ts";
import { CLIENTS } from "./harness/client.ts";
import { Gate } from "./harness/gate.ts";
import { Model } from "./harness/model.ts";
import { POST_JOURNAL, Point } from "./harness/point.ts";

const preview = (page: Page): Locator => page.getByRole("region", { name: "If you say yes" });
const bar = (page: Page): Locator => page.getByRole("region", { name: "Decide" });
const hops = (page: Page): Locator => page.getByRole("region", { name: "Who asks" }).getByRole("listitem");

/** Whether a text is in the colour of what is wrong or wider than needed. */
async function isRed(locator: Locator): Promise<boolean> {
  return locator.evaluate((element) => {
    const probe = document.body.appendChild(Object.assign(document.createElement("span"), { className: "bad" }));
    const [red, own] = [getComputedStyle(probe).color, getComputedStyle(element).color];
    probe.remove();
    return red === own && red !== getComputedStyle(document.body).color;
  });
}

test("each hop is told with who answers for it: verified, or vouched for by a point", async ({ page, gate, asked, task, below }) => {
  await open(page, gate, asked);
  await expect(hops(page)).toHaveCount(2);
  await expect(hops(page).nth(0)).toContainText(`Agent::"spiffe://acme.example/agent/report-writer"`);
  await expect(hops(page).nth(0)).toContainText("verified · its own credential");
  await expect(hops(page).nth(1)).toContainText('for User::"ines"');
  await expect(hops(page).nth(1)).toContainText(/verified · /);
  await expect(hops(page).filter({ hasText: "vouched" })).toHaveCount(0);

  const point = new Point(gate, `edge-${task}`, "files", { vouches: true });
  const call = { server: "files", action: "write_file", resource: { type: "Volume", id: "files" }, input: { path: join(gate.files, below, "q5.md"), content: "x" } };
  const id = await point.request(call, { word: { task: `${task}-vouched`, for: "ines" } }, "The quarter closes.");
  await page.goto(`${gate.url}/exceptions/${id}`);
  await expect(hops(page)).toHaveCount(2);
  for (const hop of [0, 1]) await expect(hops(page).nth(hop)).toContainText(`vouched · edge-${task}`);
  await expect(hops(page).filter({ hasText: "verified" })).toHaveCount(0);
  // A chain that the body claims besides is no hop: it is refused where it is another than what was shown.
  const claimed = { ...call, input: { ...call.input, path: join(gate.files, below, "q6.md") } };
  await expect(point.request(claimed, { word: { task: `${task}-vouched`, for: "nobody" } }, "x")).rejects.toThrow(/unknown_person/);
});

test("in the weakest tier one key approves the smallest grant, and opening it takes a step and a reason", async ({ page, gate, asking, below, task }) => {
  const folder = { tool: "create_directory", args: { path: join(gate.files, below, "drafts") } };
  const { model, wish } = asking;
  const { id } = await model.request(await model.call(folder), { ...wish, ...folder });
  await open(page, gate, id);
  await expect(bar(page)).toContainText("0 of 1");
  const left = page.getByRole("list", { name: "Not fixed by this yes" });
  await expect(page.getByText("Nothing. This very call, and no other.")).toBeVisible();
  await expect(left).toHaveCount(0);
  await expect(page.getByRole("combobox", { name: "path", exact: true })).toHaveCount(0);
  // The step, and then the reason: by a field like any, no slider.
  await page.getByRole("button", { name: "Open more than this …" }).click();
  await expect(page.locator("input[type=range]")).toHaveCount(0);
  await page.getByLabel("uses", { exact: true }).fill("2");
  await expect(page.getByText("More is open than this call needs. The reason that you give says why.")).toBeVisible();
  await page.getByRole("radio", { name: "by conditions" }).check();
  await page.getByRole("combobox", { name: "path", exact: true }).selectOption("inside");
  await expect(left).toContainText("input.path");
  for (const line of await left.getByRole("listitem").all()) expect(await isRed(line)).toBe(true);
  await press(page, "a", (within) => expect(page.getByLabel("Reason")).toBeFocused(within));
  await expect(page.locator("#why-not")).toContainText("A reason is needed");
  await expect(inState(page, "requested")).toBeVisible();
  // Back to the smallest, one key is enough.
  await page.getByRole("button", { name: "Back to the smallest grant" }).click();
  await expect(page.getByText("Nothing. This very call, and no other.")).toBeVisible();
  await expect(left).toHaveCount(0);
  await expect(preview(page)).toContainText("nothing: every dimension is fixed");
  await page.getByRole("heading", { level: 1 }).click();
  await press(page, "a", (within) => expect(inState(page, "granted")).toBeVisible(within));
  await expect(page.getByRole("region", { name: "What was granted" }).getByRole("row", { name: "used" })).toContainText("0 of 1 use");
  expect(task).not.toBe("");
});

test("the first voter's words are folded for who has yet to decide, and for nobody else", async ({ page, gate, task }) => {
  const point = new Point(gate, `desk-${task}`, "ledger");
  const id = await point.request(POST_JOURNAL, point.token(task), "The quarter closes.");
  const words = "The auditors wait for it.";
  const seen = page.getByText(words).filter({ visible: true });
  const fold = page.getByRole("region", { name: "History" }).getByText("their words: look for yourself first");
  await open(page, gate, id);
  await approve(page, words);
  await expect(page.getByText("Your approval counts. Another person has to approve, too.").first()).toBeVisible();

  await open(page, gate, id, "jun");
  await expect(bar(page)).toContainText("1 of 2");
  await expect(fold).toBeVisible();
  await expect(seen).toHaveCount(0);
  // Who decides nothing here is kept from nothing.
  await open(page, gate, id, "sol");
  await expect(seen.first()).toBeVisible();
  await expect(fold).toHaveCount(0);

  await open(page, gate, id, "jun");
  await expect(seen).toHaveCount(0);
  await fold.click();
  await expect(seen).toHaveCount(1);
  await approve(page, "So it is.");
  await expect(inState(page, "granted")).toBeVisible();
  await expect(fold).toHaveCount(0);
  await expect(seen.first()).toBeVisible();
});

test("a request opens with no more time than the like was used in", async ({ page }) => {
  const gate = await Gate.start();
  try {
    const model = new Model(await CLIENTS["node"]!(gate.proxied({ ...AGENT, task: "close-q4" })));
    await model.look();
    await signIn(page, gate);
    const valid = page.getByLabel("valid for", { exact: true });
    // Three grants of the like were used at once; before that nobody knows.
    for (const [number, opensWith] of [[1, /^15/], [2, /^15/], [3, /^15/], [4, /^[12]\s?m/]] as const) {
      // A folder of its own: what an earlier grant covered would be its renewal.
      const folder = join(gate.files, "reports", `q${number}`);
      mkdirSync(folder, { recursive: true });
      const call = { tool: "write_file", args: { path: join(folder, "report.md"), content: "Balanced.\n" } };
      const { id } = await model.request(await model.call(call), { ...call, why: "It is due.", duration: "30m", uses: 3, folder });
      await page.goto(`${gate.url}/exceptions/${id}`);
      await expect(preview(page)).toContainText("nothing: every dimension is fixed");
      await page.getByRole("button", { name: "Open more than this …" }).click();
      await expect(valid).toHaveValue(opensWith);
      await page.getByRole("button", { name: "Back to the smallest grant" }).click();
      await expect(preview(page)).toContainText("nothing: every dimension is fixed");
      await approve(page);
      await expect(inState(page, "granted")).toBeVisible();
      await model.call(call);
      await expect(inState(page, "exhausted")).toBeVisible();
    }
    await model.close();
  } finally {
    await gate.stop();
  }
});

test("who presses twice undoes once, and hands over once", async ({ page, gate, asked }) => {
  await open(page, gate, asked);
  await page.getByRole("button", { name: "Hand over …" }).click();
  await page.getByLabel("To whom").fill("ola");
  await page.getByLabel("Reason").fill("She knows the file.");
  const handed = await held(page, "**/handover");
  const hand = page.getByRole("button", { name: "Hand over", exact: true });
  await hand.click();
  await handed.waiting();
  await expect(hand).toHaveAttribute("aria-disabled", "true");
  await hand.dispatchEvent("click");
  handed.answer();
  await expect(page.getByText("Handed over to ola.").first()).toBeVisible();
  expect(handed.count()).toBe(1);

  await page.getByLabel("Reason").fill("Too soon.");
  await page.getByRole("button", { name: "Refuse" }).click();
  await expect(inState(page, "denied")).toBeVisible();
  const undone = await held(page, "**/undo");
  const undo = page.getByRole("button", { name: "Undo my decision" });
  await undo.click();
  await undone.waiting();
  await expect(undo).toHaveAttribute("aria-disabled", "true");
  await undo.dispatchEvent("click");
  undone.answer();
  await expect(page).not.toHaveURL(new RegExp(`${asked}$`));
  await expect(inState(page, "requested")).toBeVisible();
  expect(undone.count()).toBe(1);
});

test("an approval that waits for a second one is taken back by who gave it, and counts no more", async ({ page, gate, task }) => {
  const point = new Point(gate, `twice-${task}`, "ledger");
  const id = await point.request(POST_JOURNAL, point.token(task), "The quarter closes.");
  const undo = page.getByRole("button", { name: "Undo my decision" });
  const line = page.getByRole("listitem").filter({ has: page.locator(`a[href="/exceptions/${id}"]`) });
  await open(page, gate, id);
  await expect(bar(page)).toContainText("0 of 2");
  await expect(undo).toHaveCount(0);
  await approve(page);
  await expect(bar(page)).toContainText("1 of 2");
  await expect(page.locator(".undo")).toContainText("Your approval waits for others; taken back, it counts no more.");
  await page.goto(`${gate.url}/?tab=all&task=${task}`);
  await expect(line).toContainText("your approval waits");

  // Somebody else's is not theirs to take back, neither on the page nor in the list.
  await open(page, gate, id, "jun");
  await expect(bar(page)).toContainText("1 of 2");
  await expect(undo).toHaveCount(0);
  await page.goto(`${gate.url}/?tab=all&task=${task}`);
  await expect(line).toBeVisible();
  await expect(line).not.toContainText("your approval waits");

  await open(page, gate, id);
  await expect(undo).toBeVisible();
  await press(page, "u", (within) => expect(bar(page)).toContainText("0 of 2", within));
  await expect(undo).toHaveCount(0);
  await expect(inState(page, "requested")).toBeVisible();
  await expect(page.getByRole("region", { name: "History" })).toContainText("User::mara took the approval back; it counts no more");

  // The next one is the first again, and grants nothing; who took theirs back may give it once more.
  await open(page, gate, id, "jun");
  await expect(bar(page)).toContainText("0 of 2");
  await approve(page);
  await expect(bar(page)).toContainText("1 of 2");
  await expect(inState(page, "requested")).toBeVisible();
  await open(page, gate, id);
  await approve(page, "So it is, after all.");
  await expect(inState(page, "granted")).toBeVisible();
});

test("what is typed before the gate's reply to a vote is here stays", async ({ page, gate, asked }) => {
  await open(page, gate, asked);
  const reason = page.getByLabel("Reason");
  // The page hears of the grant before the gate's reply is here, and somebody has second thoughts.
  await page.route("**/votes", async (route) => {
    const response = await route.fetch();
    await expect(inState(page, "granted")).toBeVisible();
    await reason.fill("It was the wrong file.");
    await route.fulfill({ response });
  });
  await approve(page);
  const revoke = page.getByRole("button", { name: "Revoke" });
  await expect(revoke).toBeVisible();
  await expect(reason).toHaveValue("It was the wrong file.");
  await revoke.click();
  await expect(inState(page, "revoked")).toBeVisible();
});

/** Keeps what the gate answers to these until it is let go. */
async function held(page: Page, what: string | RegExp): Promise<{ waiting: () => Promise<void>; answer: () => void; count: () => number }> {
  let answer = (): void => {};
  const released = new Promise<void>((resolve) => (answer = resolve));
  let count = 0;
  await page.route(what, async (route) => {
    count += 1;
    await released;
    await route.continue();
  });
  return { waiting: () => expect.poll(() => count).toBeGreaterThan(0), answer: () => answer(), count: () => count };
}

test("an answer that comes after its page was left changes nothing, and breaks nothing", async ({ page, gate, asked }) => {
  await signIn(page, gate);
  const menu = page.getByRole("navigation", { name: "Proviso" });
  const agent = encodeURIComponent(AGENT.subject.slice("Agent::".length));
  for (const [path, asks] of [
    [`/exceptions/${asked}`, /\/api\/v1\/exceptions\/[^/?]+$/],
    [`/exceptions/${asked}`, /\/api\/v1\/exceptions\/[^/]+\/sheet/],
    [`/exceptions/${asked}`, /\/policy\/[0-9a-f]+\.wasm$/],
    [`/exceptions/${asked}`, /\/api\/v1\/exceptions\/[^/]+\/past/],
    [`/agents?type=Agent&id=${agent}`, /\/api\/v1\/agent\?/],
    ["/findings", /\/api\/v1\/findings/],
    ["/departures/mara", /\/api\/v1\/people\/mara\/departure$/],
    ["/", /\/api\/v1\/exceptions\?stage=current/],
  ] as const) {
    const late = await held(page, asks);
    await page.goto(gate.url + path);
    await late.waiting();
    const answered = page.waitForResponse(asks);
    await menu.getByRole("link", { name: "Locks" }).click();
    await expect(page.getByRole("heading", { name: "Locks" })).toBeVisible();
    late.answer();
    await answered;
    // Whatever it left behind would be met by what the page does next.
    await menu.getByRole("link", { name: "Pictures" }).click();
    await expect(page.getByRole("heading", { name: "Pictures" })).toBeVisible();
    await page.unroute(asks);
  }
});
