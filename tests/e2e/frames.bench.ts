// How the decision page bears a preview over a thousand different recorded questions: how long an edit keeps the main thread
// at most, how soon the answer is drawn, and what shifts. `cargo xtask bench` starts it at a gate of its own, with the
// dashboard as it is deployed, and reads what is written here.
import { writeFileSync } from "node:fs";

import { type Locator, type Page, expect, test } from "@playwright/test";

const QUESTIONS = 1_000;

/** What the bench says. */
function told(name: string): string {
  const value = process.env[`PROVISO_BENCH_${name}`];
  if (value === undefined) throw new Error(`PROVISO_BENCH_${name} is not set: cargo xtask bench`);
  return value;
}

/** An edit: for how long the main thread answered nobody at most, and when its answer was drawn; in milliseconds. */
interface Edited {
  blocked: number;
  answered: number;
  says: string;
}

/** Puts a value into a field as a hand does, and waits until the module's answer to it is drawn. */
async function edit(field: Locator, value: string): Promise<Edited> {
  return field.evaluate(async (element, value) => {
    const preview = document.querySelector(".foreseen")!;
    const settled = new Promise<void>((done) => {
      let began = false;
      const watcher = new MutationObserver(() => {
        const behind = preview.getAttribute("aria-busy") === "true";
        if (began && !behind) {
          watcher.disconnect();
          done();
        }
        began ||= behind;
      });
      watcher.observe(preview, { attributes: true, attributeFilter: ["aria-busy"] });
    });
    // The main thread rings itself up as often as it can: the longest that it did not answer is the longest it was kept.
    const bell = new MessageChannel();
    const begun = performance.now();
    let [last, blocked, ringing] = [begun, 0, true];
    bell.port1.onmessage = () => {
      const now = performance.now();
      blocked = Math.max(blocked, now - last);
      last = now;
      if (ringing) bell.port2.postMessage(0);
    };
    bell.port2.postMessage(0);
    (element as HTMLInputElement).value = value;
    element.dispatchEvent(new InputEvent("input", { bubbles: true }));
    await settled;
    await new Promise((drawn) => requestAnimationFrame(drawn));
    const answered = performance.now() - begun;
    await new Promise((drawn) => requestAnimationFrame(drawn));
    ringing = false;
    return { blocked, answered, says: preview.querySelector(".big")!.textContent! };
  }, value);
}

/** Adds up from the page's very start what shifts without a hand, and says what it was. */
async function observe(page: Page): Promise<void> {
  await page.addInitScript(() => {
    Reflect.set(window, "shifted", 0);
    new PerformanceObserver((list) => {
      type Shift = PerformanceEntry & { value: number; hadRecentInput: boolean; sources: { node?: Node; previousRect: DOMRect; currentRect: DOMRect }[] };
      for (const entry of list.getEntries() as Shift[]) {
        if (entry.hadRecentInput) continue;
        Reflect.set(window, "shifted", Reflect.get(window, "shifted") + entry.value);
        // Less than a digit of a clock is not told.
        if (entry.value < 0.0001) continue;
        const of = entry.sources.map(({ node, previousRect: from, currentRect: to }) =>
          `${node?.parentElement?.className || node?.nodeName} "${node?.textContent?.slice(0, 40)}" ${from.x},${from.y} → ${to.x},${to.y}`);
        console.log(`shifted ${entry.value.toFixed(5)}: ${of.join(" | ")}`);
      }
    }).observe({ type: "layout-shift", buffered: true });
  });
  page.on("console", (message) => {
    if (message.text().startsWith("shifted ")) console.log(`           ${message.text()}`);
  });
}

/** What has shifted by the time that two more frames are drawn. */
async function shifted(page: Page): Promise<number> {
  return page.evaluate(async () => {
    for (let frame = 0; frame < 2; frame += 1) await new Promise((drawn) => requestAnimationFrame(drawn));
    await new Promise((idle) => requestIdleCallback(idle));
    return Reflect.get(window, "shifted") as number;
  });
}

test("edits of a grant, with a thousand recorded questions to evaluate at each", async ({ page }) => {
  const [rounds, folder] = [Number(told("ROUNDS")), told("FOLDER")];
  await page.setViewportSize({ width: 1280, height: 900 });
  await page.goto(told("LINK"));
  await expect(page.getByRole("heading", { name: "Queue" })).toBeVisible();
  await observe(page);
  const home = new URL(page.url()).origin;
  await page.goto(home);
  await expect(page.locator("a[data-line]").first()).toBeVisible();
  const shifts = [await shifted(page)];

  await page.goto(`${home}/exceptions/${told("ASKED")}`);
  const preview = page.getByRole("region", { name: "If you say yes" });
  await expect(preview).toContainText(`of ${QUESTIONS} other recorded denials would pass`, { timeout: 60_000 });
  shifts.push(await shifted(page));

  await page.getByRole("button", { name: "Open more than this …" }).click();
  await page.getByRole("radio", { name: "by conditions" }).check();
  await page.getByRole("combobox", { name: "path", exact: true }).selectOption("inside");
  const inside = page.getByRole("textbox", { name: "path: the folder" });
  await inside.fill(folder);
  await expect(preview.locator(".big > div").nth(1).locator("strong")).toHaveText(`${QUESTIONS}`, { timeout: 60_000 });

  // One use more or less, and a folder with half of them: both in turn, each another grant than the one before.
  const uses = page.getByLabel("uses", { exact: true });
  const turns = [[uses, "2"], [inside, `${folder}/half`], [uses, "1"], [inside, folder]] as const;
  const edits: Edited[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const [field, value] = turns[round % turns.length]!;
    const edited = await edit(field, value);
    // None is skipped, at no edit.
    expect(edited.says).toContain(`of ${QUESTIONS} other recorded denials would pass`);
    edits.push(edited);
  }
  const [blocked, answered] = [edits.map((each) => each.blocked), edits.map((each) => each.answered)];
  writeFileSync(told("FRAMES"), JSON.stringify({ blocked, answered, shifts }));
});
