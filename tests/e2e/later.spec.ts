// The code of the pages behind the queue lies in files of its own: the queue answers without them, they are fetched behind
// it, and a page whose code does not come says so and is drawn once it does.
import { expect } from "@playwright/test";

import { signIn, test } from "./harness/asked.ts";

const PART = /\/(later|decision)-[0-9a-f]{16}\.wasm$/;

test("the queue answers while the code of other pages is held back, and a page that waits for it is drawn when it comes", async ({ page, gate, asked, task }) => {
  let free: () => void = () => {};
  const held = new Promise<void>((resolve) => (free = resolve));
  await page.route(PART, async (route) => {
    await held;
    await route.continue();
  });
  await signIn(page, gate);
  await expect(page.locator("a[data-line]", { hasText: task })).toBeVisible();
  await page.goto(`${gate.url}/exceptions/${asked}`);
  await expect(page.getByText("Fetching this page …")).toBeVisible();
  free();
  await expect(page.getByRole("region", { name: "What will run" })).toBeVisible();
  await expect(page.getByText("Fetching this page …")).toHaveCount(0);
});

test("a page whose code does not come says so, and is there once it can be fetched", async ({ page, gate }) => {
  await page.route(PART, (route) => route.abort());
  await signIn(page, gate);
  await page.goto(`${gate.url}/agents`);
  await expect(page.getByText("This could not be fetched")).toBeVisible();
  await page.unroute(PART);
  await page.getByRole("button", { name: "Try again" }).click();
  await expect(page.getByRole("heading", { name: "Agents", level: 1 })).toBeVisible();
});

test("an export whose form does not come says so in its dialog", async ({ page, gate }) => {
  await page.route(PART, (route) => route.abort());
  await signIn(page, gate);
  await page.goto(`${gate.url}/?tab=history`);
  await page.getByRole("button", { name: "Export …" }).click();
  const dialog = page.getByRole("dialog", { name: "Export the record" });
  await expect(dialog.getByText("This could not be fetched")).toBeVisible();
  await page.unroute(PART);
  await dialog.getByRole("button", { name: "Try again" }).click();
  await expect(dialog.getByRole("button", { name: "Cancel" })).toBeVisible();
});

test("each part is fetched behind the queue, once, under the name of the whole", async ({ page, gate }) => {
  const fetched: string[] = [];
  page.on("request", (request) => void fetched.push(new URL(request.url()).pathname));
  await page.goto(gate.signInLink("mara"));
  await expect(page.getByRole("heading", { name: "Queue" })).toBeVisible();
  const parts = () => fetched.filter((path) => PART.test(path)).map((path) => path.split("-")[0]).sort();
  await expect.poll(parts).toEqual(["/decision", "/later"]);
  const digest = /-([0-9a-f]{16})\.wasm$/.exec(fetched.find((path) => PART.test(path))!)![1];
  expect(fetched).toContain(`/dashboard-${digest}.js`);
  const queue = fetched.findIndex((path) => path.startsWith("/api/v1/exceptions"));
  expect(queue).toBeGreaterThan(-1);
  expect(queue).toBeLessThan(fetched.findIndex((path) => PART.test(path)));
  for (const name of ["Reviews", "Locks"]) {
    await page.getByRole("link", { name }).first().click();
    await expect(page.getByRole("heading", { name, level: 1 })).toBeVisible();
  }
  expect(parts()).toEqual(["/decision", "/later"]);
});
