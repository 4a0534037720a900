// What specs of the dashboard share: a gate for each worker, in it one open request for each test, and the eyes of a reviewer.
import { mkdirSync } from "node:fs";
import { join } from "node:path";

import { AxeBuilder } from "@axe-core/playwright";
import { type BrowserContext, type BrowserContextOptions, type Locator, type Page, expect, test as base } from "@playwright/test";

import { CLIENTS, type Result } from "./client.ts";
import { Gate } from "./gate.ts";
import { Model, type Wish } from "./model.ts";
import { TARGET } from "./places.ts";

export const AGENT = { subject: "Agent::spiffe://acme.example/agent/report-writer", person: "ines", server: "files" };

/** A model with what it has asked for, and the refusal that it did so after. */
export interface Asking {
  model: Model;
  refusal: Result;
  wish: Wish;
  id: string;
}

/** A page in a browser of its own: somebody else's, or the same person's elsewhere. */
export type Another = (options?: BrowserContextOptions) => Promise<Page>;

/** No page of any spec may break its content security policy, and none may panic. */
export const watched = base.extend<{ troubles: string[]; another: Another }>({
  troubles: [
    async ({ context }, use) => {
      const troubles: string[] = [];
      await watch(context, troubles);
      await use(troubles);
      expect(troubles, "what pages of this test did that none may do").toEqual([]);
    },
    { auto: true },
  ],
  another: async ({ browser, troubles }, use) => {
    const contexts: BrowserContext[] = [];
    await use(async (options) => {
      const context = await browser.newContext(options);
      contexts.push(context);
      await watch(context, troubles);
      return context.newPage();
    });
    for (const context of contexts) await context.close();
  },
});

/** One gate for each worker: starting one compiles the module. In it, one open request for each test, of a task of its own. */
export const test = watched.extend<{ task: string; below: string; asking: Asking; asked: string }, { gate: Gate }>({
  gate: [
    async ({}, use) => {
      const gate = await Gate.start();
      await use(gate);
      await gate.stop();
    },
    { scope: "worker" },
  ],
  task: async ({}, use, info) => use(`close-q4-${info.testId}`),
  /** The folder below the served one that the agent wants to write into, apart for each test: what one grant covered another renews. */
  below: async ({}, use, info) => use(`reports/${info.testId}`),
  asking: async ({ gate, task, below }, use) => {
    mkdirSync(join(gate.files, below), { recursive: true });
    const proxied = gate.proxied({ ...AGENT, task });
    const model = new Model(await CLIENTS["node"]!(proxied));
    await model.look();
    const call = { tool: "write_file", args: { path: join(gate.files, below, "q4.md"), content: "Balanced.\n" } };
    const wish = { ...call, why: "Approve at once! \u202E<b>done</b>", duration: "30m", uses: 3, folder: join(gate.files, below) };
    const refusal = await model.call(call);
    const { id } = await model.request(refusal, wish);
    await use({ model, refusal, wish, id });
    await model.close();
    await gate.cancel(proxied, id);
  },
  asked: async ({ asking }, use) => use(asking.id),
});

/** Writes down what no page of the dashboard may do: what its content security policy stops, and panics of its code. */
export async function watch(context: BrowserContext, troubles: string[]): Promise<void> {
  await context.exposeBinding("provisoStopped", (_, line: string) => void troubles.push(line));
  await context.addInitScript(() => {
    addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI, sample }) => {
      // Whoever takes a picture of a page puts a style of their own into it first.
      if (effectiveDirective === "style-src-elem") return;
      (Reflect.get(window, "provisoStopped") as (line: string) => void)(`${effectiveDirective} ${blockedURI} ${sample}`);
    });
  });
  context.on("console", (message) => {
    if (message.type() === "error" && message.text().includes("panicked at")) troubles.push(message.text());
  });
}

/** Signs a person in by a link of the operator's. */
export async function signIn(page: Page, gate: Gate, user = "mara"): Promise<void> {
  await page.goto(gate.signInLink(user));
  await expect(page.getByRole("heading", { name: "Queue" })).toBeVisible();
}

/** The page of an exception, for a person who signs in for it. */
export async function open(page: Page, gate: Gate, asked: string, user = "mara"): Promise<void> {
  await signIn(page, gate, user);
  await page.goto(`${gate.url}/exceptions/${asked}`);
  await expect(page.getByRole("region", { name: "What will run" })).toBeVisible();
}

/** Approves what the page shows, with the reason that all but the weakest tier want. */
export async function approve(page: Page, why = "It is due."): Promise<void> {
  await page.getByLabel("Reason").fill(why);
  await page.getByRole("button", { name: "Approve" }).click();
}

/** The state of the exception that the page is about: what stands on the page besides, of other exceptions, has chips, too. */
export function inState(page: Page, word: string): Locator {
  return page.locator(`h1 + .chips .chip.state-${word}`);
}

/** Waits until keys that decide are heard: not in the moment after the page has changed. */
export async function keysReady(page: Page): Promise<void> {
  await expect(page.locator("html[data-keys=ready]")).toBeVisible();
}

/** Presses a key that decides, until its effect is seen: a live change in between makes the keys inert once more. */
export async function press(page: Page, key: string, effect: (within: { timeout: number }) => Promise<void>): Promise<void> {
  await expect(async () => {
    await keysReady(page);
    await page.keyboard.press(key);
    await effect({ timeout: 4_000 });
  }).toPass();
}

export const LOOKS = (["light", "dark"] as const).flatMap((scheme) =>
  ([["wide", { width: 1280, height: 900 }], ["narrow", { width: 390, height: 844 }]] as const).map(
    ([name, viewport]) => ({ scheme, name, viewport }),
  ),
);

/** Where everything on the page stands. */
function places(page: Page): Promise<string> {
  return page.evaluate(() => Array.from(document.querySelectorAll("body *"), (each) => {
    const { x, y, width, height } = each.getBoundingClientRect();
    return [x, y, width, height].map(Math.round).join();
  }).join(";"));
}

/** Waits until nothing is added to the page or moves on it: what is measured in a page that grows is measured in two. */
async function atRest(page: Page): Promise<string> {
  let before = "";
  await expect.poll(async () => {
    const [was, now] = [before, await places(page)];
    before = now;
    return was === now;
  }, { intervals: [200] }).toBe(true);
  return before;
}

/** What a machine can tell of the page's accessibility. A fault in a page that moved meanwhile is looked for again. */
async function faults(page: Page): Promise<string[]> {
  for (;;) {
    const before = await atRest(page);
    const { violations } = await new AxeBuilder({ page }).withTags(["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]).analyze();
    if (violations.length === 0 || before === await places(page)) {
      return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => `${node.html} (${node.failureSummary})`).join(" ")}`);
    }
  }
}

/** A picture of the page for a person, and what a machine can tell of its accessibility. */
export async function look(page: Page, what: string, { scheme, name }: (typeof LOOKS)[number]): Promise<void> {
  const folder = join(TARGET, "screenshots");
  // A page that is not there yet is dark, and without a fault.
  await expect(page.getByRole("heading", { level: 1 }).first()).toBeVisible();
  await atRest(page);
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${what}-${scheme}-${name}.png`), fullPage: true });
  expect(await faults(page), what).toEqual([]);
  // Nothing is wider than the window.
  expect(await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)).toBeLessThanOrEqual(0);
}
