// A preview over a thousand different recorded questions: each is evaluated, none is skipped, and of those that would pass
// all are counted and the first are drawn. No time is measured here; `frames.bench.ts` does that.
import { join } from "node:path";

import { type Page, expect } from "@playwright/test";

import { approve, inState, signIn, watched as test } from "./harness/asked.ts";
import { Gate } from "./harness/gate.ts";
import { Point } from "./harness/point.ts";

const QUESTIONS = 1_000;
/** How many are asked at the same time. */
const AT_ONCE = 25;
/** A page of tests is compiled for whoever waits for a compiler, and works the slower. */
const PATIENCE = { timeout: 90_000 };

const preview = (page: Page) => page.getByRole("region", { name: "If you say yes" });
const passing = (page: Page) => preview(page).getByRole("table", { name: "Refused before, would pass" }).getByRole("row");

test("a preview over a thousand different recorded questions evaluates each, and the vote on it counts", async ({ page }) => {
  // One agent asks as often as a thousand would.
  const gate = await Gate.start("single-user", () => ["--evaluations", "2000"]);
  try {
    const point = new Point(gate, "desk", "files");
    const shown = point.token("close-q4");
    const folder = join(gate.files, "reports");
    const call = (name: string) => ({ server: "files", action: "write_file", resource: { type: "Volume", id: "files" }, input: { path: join(folder, name), content: "Balanced.\n" } });
    for (let from = 0; from < QUESTIONS; from += AT_ONCE) {
      const some = Array.from({ length: AT_ONCE }, (_, at) => point.evaluate(call(`${from + at}.md`), shown));
      for (const { decision } of await Promise.all(some)) expect(decision).toBe(false);
    }
    const id = await point.request(call("asked.md"), shown, "The quarter closes.", folder);
    await signIn(page, gate);
    await page.goto(`${gate.url}/exceptions/${id}`);
    await expect(page.getByRole("region", { name: "What will run" })).toBeVisible(PATIENCE);

    // This very call is one of those that are evaluated, and no other one.
    await expect(preview(page)).toContainText(`of ${QUESTIONS} other recorded denials would pass`, PATIENCE);
    await expect(passing(page)).toHaveCount(0);
    const sides = await preview(page).locator(".borders tbody td").allTextContents();
    const evaluated = 2 + sides.filter((side) => side !== "").length + QUESTIONS + 1;
    await expect(preview(page)).toContainText(`· ${evaluated} questions in `);

    await page.getByRole("button", { name: "Open more than this …" }).click();
    await page.getByRole("radio", { name: "by conditions" }).check();
    await page.getByRole("combobox", { name: "path", exact: true }).selectOption("inside");
    await page.getByRole("textbox", { name: "path: the folder" }).fill(folder);
    const counted = preview(page).locator(".big > div").nth(1).locator("strong");
    await expect(counted).toHaveText(`${QUESTIONS}`, PATIENCE);
    await expect(passing(page)).toHaveCount(20);
    await expect(preview(page)).toContainText("980 more would pass.");
    await preview(page).getByRole("button", { name: "Show 20 more" }).click();
    await expect(passing(page)).toHaveCount(40);
    await expect(preview(page)).toContainText("960 more would pass.");

    // The gate asks its module all of them again, and says the same.
    await approve(page, "All of them are this quarter's.");
    await expect(inState(page, "granted")).toBeVisible(PATIENCE);
  } finally {
    await gate.stop();
  }
});
