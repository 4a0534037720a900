// Nothing that stands on a page moves while the rest of it comes in: the sum of what the browser calls layout shifts. No
// time is measured.
import { type Page, expect } from "@playwright/test";

import { test } from "./harness/asked.ts";

/** What a page may shift in all, by the measure of the browser: a hundredth of what is seen, by a hundredth of its height. */
const MOST = 0.01;

/** Adds up what shifts on each page from its very start; what the hand did is no shift. */
async function observe(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const shifts: string[] = [];
    Reflect.set(window, "shifts", shifts);
    Reflect.set(window, "shifted", 0);
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        const { value, hadRecentInput, sources } = entry as unknown as {
          value: number;
          hadRecentInput: boolean;
          sources: { node?: Node; previousRect: DOMRect; currentRect: DOMRect }[];
        };
        if (hadRecentInput) continue;
        Reflect.set(window, "shifted", (Reflect.get(window, "shifted") as number) + value);
        const of = sources.map(({ node, previousRect, currentRect }) => `${node?.nodeName} ${node?.textContent?.slice(0, 40)} ${previousRect.y} → ${currentRect.y}`);
        shifts.push(`${value.toFixed(4)}: ${of.join(" | ")}`);
      }
    }).observe({ type: "layout-shift", buffered: true });
  });
}

/** What has shifted by the time that two more frames are drawn. */
async function shifted(page: Page): Promise<{ sum: number; shifts: string[] }> {
  return page.evaluate(async () => {
    for (let frame = 0; frame < 2; frame += 1) await new Promise((drawn) => requestAnimationFrame(drawn));
    await new Promise((idle) => requestIdleCallback(idle));
    return { sum: Reflect.get(window, "shifted") as number, shifts: Reflect.get(window, "shifts") as string[] };
  });
}

for (const [name, viewport] of [["wide", { width: 1280, height: 900 }], ["narrow", { width: 390, height: 844 }]] as const) {
  test(`queue and decision page come in without moving what stands: ${name}`, async ({ page, gate, asked, task }) => {
    await page.setViewportSize(viewport);
    await page.goto(gate.signInLink("mara"));
    await expect(page.getByRole("heading", { name: "Queue" })).toBeVisible();
    await observe(page);
    await page.goto(gate.url);
    await expect(page.locator("a[data-line]", { hasText: task })).toBeVisible();
    const queue = await shifted(page);
    expect(queue.sum, queue.shifts.join("\n")).toBeLessThanOrEqual(MOST);
    await page.goto(`${gate.url}/exceptions/${asked}`);
    await expect(page.getByRole("region", { name: "If you say yes" })).toContainText("nothing: every dimension is fixed");
    await expect(page.getByRole("region", { name: "What became of the like" })).toBeVisible();
    const decision = await shifted(page);
    expect(decision.sum, decision.shifts.join("\n")).toBeLessThanOrEqual(MOST);
  });
}

test("the sum sees what moves", async ({ page, gate }) => {
  await observe(page);
  await page.goto(gate.signInLink("mara"));
  await expect(page.getByRole("heading", { name: "Queue" })).toBeVisible();
  const { sum } = await shifted(page);
  await page.evaluate(() => {
    const tall = document.createElement("div");
    tall.className = "tall";
    tall.style.height = "200px";
    document.querySelector("h1")!.before(tall);
  });
  await expect.poll(async () => (await shifted(page)).sum).toBeGreaterThan(sum + MOST);
});
