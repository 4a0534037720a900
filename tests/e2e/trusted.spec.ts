// Trusted Types: in a browser that has them no text becomes markup or code on a page of the dashboard, whoever writes it,
// and the dashboard itself needs none of that. That it keeps to its own policy is watched on each page of every spec.
import { type Page, expect } from "@playwright/test";

import { approve, inState, open, signIn, test } from "./harness/asked.ts";

/** What a browser says to something that a script of the page tries. */
function tried(page: Page, what: string): Promise<string> {
  return page.evaluate((what) => {
    const attempts: Record<string, () => unknown> = {
      "markup into the page": () => (document.body.innerHTML = "<b>x</b>"),
      "markup into a template": () => (document.createElement("template").innerHTML = "<b>x</b>"),
      "markup beside": () => document.body.insertAdjacentHTML("beforeend", "<b>x</b>"),
      "a worker": () => new Worker("/preview_worker_loader.js"),
      "a script by address": () => (document.createElement("script").src = "/x.js"),
      "a script by text": () => (document.createElement("script").text = "document.title = 'owned'"),
      "a document that parses": () => new DOMParser().parseFromString("<b>x</b>", "text/html"),
      "another policy": () => Reflect.get(window, "trustedTypes").createPolicy("mine", { createHTML: (text: string) => text }),
      "the same policy once more": () => Reflect.get(window, "trustedTypes").createPolicy("proviso", { createHTML: (text: string) => text }),
    };
    try {
      attempts[what]!();
      return "done";
    } catch (error) {
      return (error as Error).name;
    }
  }, what);
}

test("no text becomes markup or code, whoever writes it", async ({ page, gate, troubles }) => {
  await signIn(page, gate);
  expect(await page.evaluate(() => "trustedTypes" in window)).toBe(true);
  const attempts = [
    "markup into the page",
    "markup into a template",
    "markup beside",
    "a worker",
    "a script by address",
    "a script by text",
    "a document that parses",
    "another policy",
    "the same policy once more",
  ];
  for (const attempt of attempts) expect([attempt, await tried(page, attempt)]).toEqual([attempt, "TypeError"]);
  await expect(page.locator("b", { hasText: /^x$/ })).toHaveCount(0);
  expect(await page.title()).not.toBe("owned");
  // The watch that every spec stands under has seen each: it would see one of the dashboard's own.
  await expect.poll(() => troubles.length).toBe(attempts.length);
  expect(new Set(troubles.map((line) => line.split(" ")[0]))).toEqual(new Set(["require-trusted-types-for", "trusted-types"]));
  troubles.length = 0;
});

test("a whole decision with its preview, a question made up and a yes raise nothing", async ({ page, gate, asked, troubles }) => {
  await open(page, gate, asked);
  const preview = page.getByRole("region", { name: "If you say yes" });
  await expect(preview).toContainText("nothing: every dimension is fixed");
  await page.getByRole("button", { name: "Open more than this …" }).click();
  await page.getByRole("radio", { name: "by conditions" }).check();
  await page.getByRole("combobox", { name: "content", exact: true }).selectOption("open");
  await expect(preview).toContainText("input.content");
  await page.getByRole("button", { name: "Back to the smallest grant" }).click();
  await expect(page.getByText("Nothing. This very call, and no other.")).toBeVisible();
  await approve(page);
  await expect(inState(page, "granted")).toBeVisible();
  for (const path of ["pictures", "agents", "design", "record", "you"]) {
    await page.goto(`${gate.url}/${path}`);
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  }
  expect(troubles).toEqual([]);
});
