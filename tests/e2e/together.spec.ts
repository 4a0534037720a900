// Several requests and one person: a day holds so many decisions and the page says so, and at one press is approved only
// what is one and the same call of the weakest tier.
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";

import { type Page, expect } from "@playwright/test";

import { AGENT, inState, signIn, test } from "./harness/asked.ts";
import { CLIENTS } from "./harness/client.ts";
import { Gate } from "./harness/gate.ts";
import { Model } from "./harness/model.ts";

const line = (page: Page, id: string) => page.locator("li", { has: page.locator(`a[href$="${id}"]`) });

/** A model in a task asks for a call; the id of the request. */
async function ask(gate: Gate, task: string, tool: string, args: { path: string; content?: string }): Promise<string> {
  const model = new Model(await CLIENTS["node"]!(gate.proxied({ ...AGENT, task })));
  await model.look();
  const call = { tool, args };
  const wish = { ...call, why: "It is due.", duration: "30m", uses: 1, folder: dirname(args.path) };
  const { id } = await model.request(await model.call(call), wish);
  await model.close();
  return id;
}

test("one and the same call of the weakest tier, asked in two tasks, is approved at one press, and nothing else is", async ({ page, gate, task, below }) => {
  mkdirSync(join(gate.files, below), { recursive: true });
  const path = join(gate.files, below, "drafts");
  const first = await ask(gate, `${task}-a`, "create_directory", { path });
  const second = await ask(gate, `${task}-b`, "create_directory", { path });
  const another = await ask(gate, `${task}-c`, "create_directory", { path: `${path}-2` });
  await signIn(page, gate);
  const chosen = page.getByRole("region", { name: "What was chosen" });
  const approve = chosen.getByRole("button", { name: /^Approve/ });
  const choose = (id: string) => line(page, id).getByRole("checkbox");
  // One has a page of its own, and another call is another decision.
  await choose(first).check();
  await expect(chosen.getByRole("button", { name: "Refuse 1 request" })).toBeVisible();
  await expect(approve).toHaveCount(0);
  await choose(another).check();
  await expect(chosen.getByRole("button", { name: "Refuse 2 requests" })).toBeVisible();
  await expect(approve).toHaveCount(0);
  await choose(another).uncheck();
  await choose(second).check();
  await expect(approve).toHaveText("Approve 2 requests, one and the same call");
  const sent: string[] = [];
  page.on("request", (request) => {
    if (request.method() === "POST" && request.url().endsWith("/votes")) sent.push(request.url());
  });
  await approve.click();
  await expect(chosen).toHaveCount(0);
  // Each got a vote of its own.
  expect(sent.map((url) => url.split("/").at(-2)).sort()).toEqual([first, second].sort());
  for (const [id, state] of [[first, "granted"], [second, "granted"], [another, "requested"]] as const) {
    await page.goto(`${gate.url}/exceptions/${id}`);
    await expect(inState(page, state)).toBeVisible();
  }
});

test("who has decided as much as a day is to hold is told so, and further ones go to others", async ({ page }) => {
  const gate = await Gate.start("single-user", () => ["--attention", "1"]);
  try {
    const first = await ask(gate, "close-q4-a", "write_file", { path: join(gate.files, "reports/a.md"), content: "x" });
    await signIn(page, gate);
    await expect(page.getByText("0 of 1 decisions of today.")).toBeVisible();
    await page.goto(`${gate.url}/exceptions/${first}`);
    await page.getByLabel("Reason").fill("Too soon.");
    await page.getByRole("button", { name: "Refuse" }).click();
    await expect(inState(page, "denied")).toBeVisible();
    const second = await ask(gate, "close-q4-b", "write_file", { path: join(gate.files, "reports/b.md"), content: "x" });
    await page.goto(gate.url);
    const told = page.locator(".notice", { hasText: "You have decided 1 request today." });
    await expect(told).toContainText("further ones go to others who may decide them");
    await expect(page.getByRole("link", { name: /^Needs me 0$/ })).toBeVisible();
    await told.getByRole("link", { name: "Waiting on others" }).click();
    await expect(line(page, second)).toContainText("past your day, asked of others");
    // It is no rule: whoever goes there may decide it.
    await page.goto(`${gate.url}/exceptions/${second}`);
    await expect(page.getByText("You have decided enough for today: others are asked about this one.")).toBeVisible();
    await expect(page.getByRole("button", { name: "Approve" })).toBeEnabled();
    // With another person it waits as ever.
    await signIn(page, gate, "ola");
    await expect(line(page, second)).toBeVisible();
    await expect(line(page, second)).not.toContainText("past your day");
    await expect(page.getByText("0 of 1 decisions of today.")).toBeVisible();
  } finally {
    await gate.stop();
  }
});
