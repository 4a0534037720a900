// The queue: tabs, filters and order in the address, thousands of rows, nothing moves under the hand, decisions taken back,
// grants taken away from the list, and a stream that is away.
import { join } from "node:path";

import { type Page, type Route, expect } from "@playwright/test";

import { LOOKS, approve, inState, look, open, press, signIn, test } from "./harness/asked.ts";

const lines = (page: Page) => page.locator("a[data-line]");
const line = (page: Page, id: string) => page.locator("li", { has: page.locator(`a[href$="${id}"]`) });

/** Leaves the page, so that no answer to it is under way when answers are changed: one that is goes with its page. */
async function away(page: Page): Promise<void> {
  await page.goto("about:blank");
}

/** Has the list of what is open or live hold this many lines, made of the first that is there. */
async function many(page: Page, count: number, change: (line: Record<string, unknown>, number: number) => void = () => {}): Promise<void> {
  await page.route("**/api/v1/exceptions?stage=current*", async (route: Route) => {
    const response = await route.fetch();
    const body = await response.json();
    const [model] = body.exceptions;
    body.exceptions = Array.from({ length: count }, (_, number) => {
      const made = { ...structuredClone(model), id: `exc_made_${String(number).padStart(5, "0")}`, task: `task-${number}`, needs_me: true, state: "requested" };
      change(made, number);
      return made;
    });
    delete body.next;
    await route.fulfill({ response, json: body });
  });
}

test("tab, search, filters and order are in the address, and a link shows the same", async ({ page, gate, task, asked }) => {
  await signIn(page, gate);
  await page.getByLabel("Search").fill(task);
  await expect(lines(page)).toHaveCount(1);
  await page.getByRole("combobox", { name: "tier" }).selectOption("medium");
  await page.getByRole("combobox", { name: "Order" }).selectOption("newest");
  await expect(page).toHaveURL(new RegExp(`\\?q=${task}&tier=medium&sort=newest$`));
  await page.reload();
  await expect(page.getByLabel("Search")).toHaveValue(task);
  await expect(page.getByRole("combobox", { name: "tier" })).toHaveValue("medium");
  await expect(line(page, asked)).toBeVisible();
  await page.getByRole("combobox", { name: "tier" }).selectOption("");
  await page.getByLabel("Search").fill("no such thing");
  await expect(page.getByText("Nothing in this tab matches the filter.")).toBeVisible();
  await page.getByRole("link", { name: "Show the whole tab" }).click();
  await expect(line(page, asked)).toBeVisible();
  // A view keeps its name in this browser.
  await page.getByLabel("Search").fill(task);
  await page.getByRole("button", { name: "Save this view" }).click();
  await page.getByLabel("Name of the view").fill("mine");
  await page.keyboard.press("Enter");
  await page.goto(gate.url);
  await page.getByRole("link", { name: "mine", exact: true }).click();
  await expect(page).toHaveURL(new RegExp(`q=${task}`));
});

test("five thousand lines: few are drawn, the keys walk, the search finds the last", async ({ page, gate, asked }) => {
  expect(asked).toBeTruthy();
  await signIn(page, gate);
  await away(page);
  await many(page, 5_000);
  await page.goto(gate.url);
  await expect(page.getByRole("link", { name: /^Needs me 5000$/ })).toBeVisible();
  await expect(lines(page).first()).toBeVisible();
  expect(await lines(page).count()).toBeLessThan(80);
  const height = await page.evaluate(() => document.documentElement.scrollHeight);
  expect(height).toBeGreaterThan(5_000 * 40);
  for (const to of [0.25, 0.5, 0.99, 0.4]) {
    await page.evaluate((to) => window.scrollTo(0, document.documentElement.scrollHeight * to), to);
    await expect.poll(() => page.evaluate(() => document.elementFromPoint(640, 450)?.closest("li")?.getAttribute("aria-setsize"))).toBe("5000");
    expect(await lines(page).count()).toBeLessThan(80);
  }
  await page.evaluate(() => window.scrollTo(0, 0));
  // A line that is drawn anew under the hand takes a press with it: as often as it needs, and no more.
  const at = () => page.evaluate(() => Number(document.activeElement?.closest("li")?.getAttribute("aria-posinset") ?? 0));
  await expect(async () => {
    for (let left = 60 - (await at()); left > 0; left -= 1) await page.keyboard.press("j");
    expect(await at()).toBe(60);
  }).toPass();
  await page.keyboard.press("/");
  await expect(page.getByLabel("Search")).toBeFocused();
  await page.keyboard.type("task-4999");
  await expect(lines(page)).toHaveCount(1);
});

test("while the pointer is on the list nothing moves: what is new waits, what has gone is marked", async ({ page, gate, asked }) => {
  expect(asked).toBeTruthy();
  await signIn(page, gate);
  await away(page);
  let round = 0;
  await many(page, 4, (made, number) => {
    // In the second round the first line is another's, and the others are there still.
    made["decide_by"] = `2099-01-01T00:00:0${number}.000Z`;
    if (round > 0 && number === 0) made["id"] = "exc_made_new";
  });
  await page.route("**/api/v1/exceptions?since=*", async (route: Route) => {
    const response = await route.fetch();
    await route.fulfill({ response, json: { ...(await response.json()), exceptions: [] } });
  });
  await page.goto(gate.url);
  await expect(lines(page)).toHaveCount(4);
  await lines(page).nth(1).hover();
  const before = await lines(page).evaluateAll((all) => all.map((each) => [each.getAttribute("href"), each.getBoundingClientRect().top]));
  round = 1;
  // A sign-in is a record of nobody's exception: the whole list is asked for again.
  gate.signInLink("ola");
  await expect(page.getByRole("button", { name: "1 new line: show it" })).toBeVisible();
  const after = await lines(page).evaluateAll((all) => all.map((each) => [each.getAttribute("href"), each.getBoundingClientRect().top]));
  expect(after).toEqual(before);
  // Whoever lets go of the list sees it as it is; the button is for who holds it by the keyboard.
  await page.mouse.move(1, 1);
  await expect(lines(page).first()).toHaveAttribute("href", "/exceptions/exc_made_new");
});

test("a refusal and an approval are taken back in one step, by a key", async ({ page, gate, asked }) => {
  await open(page, gate, asked);
  await page.getByLabel("Reason").fill("Too soon.");
  await page.getByRole("button", { name: "Refuse" }).click();
  await expect(inState(page, "denied")).toBeVisible();
  await expect(page.getByRole("button", { name: "Undo my decision" })).toBeVisible();
  // The page is drawn anew with what the record says before the gate's reply is here.
  await page.route("**/undo", async (route: Route) => {
    const response = await route.fetch();
    await expect(page.getByRole("region", { name: "History" })).toContainText("took the refusal back");
    await route.fulfill({ response });
  });
  await press(page, "u", (within) => expect(page).not.toHaveURL(new RegExp(`${asked}$`), within));
  await page.unrouteAll();
  await expect(inState(page, "requested")).toBeVisible();
  await expect(page.getByRole("link", { name: /opened again/ })).toHaveAttribute("href", `/exceptions/${asked}`);
  await expect(page.getByRole("button", { name: "Approve" })).toBeEnabled();
  await approve(page);
  await expect(inState(page, "granted")).toBeVisible();
  await page.getByRole("button", { name: "Undo my decision" }).click();
  await expect(inState(page, "revoked")).toBeVisible();
  await expect(page.getByRole("region", { name: "History" })).toContainText("undone within a minute");
  await page.goto(`${gate.url}/exceptions/${asked}`);
  await expect(page.getByRole("link", { name: "The request goes on here" })).toBeVisible();
});

test("a live grant is taken away from the list, alone and with others", async ({ page, gate, asked }) => {
  await open(page, gate, asked);
  await approve(page);
  await expect(inState(page, "granted")).toBeVisible();
  await page.goto(`${gate.url}/?tab=active`);
  await expect(line(page, asked)).toContainText("ends");
  await line(page, asked).getByRole("checkbox").check();
  const chosen = page.getByRole("region", { name: "What was chosen" });
  await chosen.getByRole("button", { name: "Revoke 1 grant" }).click();
  await expect(chosen.getByLabel("Why")).toBeFocused();
  await chosen.getByRole("button", { name: "Choose none" }).click();
  // The line is drawn anew as one that is over before the gate's reply is here.
  await page.route("**/revoke", async (route: Route) => {
    const response = await route.fetch();
    await expect(line(page, asked)).toContainText("no longer here");
    await route.fulfill({ response });
  });
  await line(page, asked).getByRole("button", { name: "Revoke" }).click();
  // The acknowledgement stays for as long as the list is held.
  await expect(line(page, asked)).toContainText(/Revoked at record \d+/);
  await page.goto(`${gate.url}/exceptions/${asked}`);
  await expect(inState(page, "revoked")).toBeVisible();
});

test("several that were chosen are refused together, each with a vote of its own", async ({ page, gate, asked, asking, below }) => {
  const { model, wish } = asking;
  const path = join(gate.files, below, "q5.md");
  const other = { tool: "write_file", args: { path, content: "Balanced.\n" } };
  const { id } = await model.request(await model.call(other), { ...wish, ...other });
  await signIn(page, gate);
  for (const each of [asked, id]) await line(page, each).getByRole("checkbox").check();
  const chosen = page.getByRole("region", { name: "What was chosen" });
  await expect(chosen.getByRole("button", { name: /^Approve/ })).toHaveCount(0);
  await chosen.getByRole("button", { name: "Refuse 2 requests" }).click();
  await expect(chosen.getByLabel("Why")).toBeFocused();
  await chosen.getByLabel("Why").fill("The quarter is closed.");
  await look(page, "chosen", LOOKS[0]!);
  await chosen.getByRole("button", { name: "Refuse 2 requests" }).click();
  await expect(chosen).toHaveCount(0);
  for (const each of [asked, id]) {
    await page.goto(`${gate.url}/exceptions/${each}`);
    await expect(inState(page, "denied")).toBeVisible();
    await expect(page.getByRole("region", { name: "History" })).toContainText("The quarter is closed.");
  }
});

test("a lock is set with a reason, is seen, and is lifted", async ({ page, gate, task, asked }) => {
  expect(asked).toBeTruthy();
  await signIn(page, gate);
  await page.goto(`${gate.url}/locks?task=${task}`);
  await page.getByRole("button", { name: "Lock", exact: true }).click();
  await expect(page.getByRole("region", { name: "Lock something" }).getByRole("status")).toContainText("Say why");
  await page.getByLabel("Why", { exact: true }).fill("Something is odd. \u202E<b>x</b>");
  await page.getByRole("button", { name: "Lock", exact: true }).click();
  await expect(page.getByText(`Locked: task ${task}.`).first()).toBeVisible();
  const lock = page.locator(".locks li", { hasText: task });
  await expect(lock).toContainText("U+202E");
  await expect(lock.locator("b", { hasText: /^x$/ })).toHaveCount(0);
  // What is for everybody is looked at first.
  await page.getByLabel("What", { exact: true }).selectOption("server");
  await page.getByLabel("Which").fill("files");
  await page.getByLabel("Why", { exact: true }).fill("Just looking.");
  await page.getByRole("button", { name: "Lock", exact: true }).click();
  await expect(page.getByText("Look first at what it would stop: it is for everybody.").first()).toBeVisible();
  await page.getByRole("button", { name: "What it would stop" }).click();
  await expect(page.getByText(/It would stop .* open request/).first()).toBeVisible();
  for (const each of LOOKS) {
    await page.emulateMedia({ colorScheme: each.scheme });
    await page.setViewportSize(each.viewport);
    await look(page, "locks", each);
  }
  await lock.getByRole("button", { name: "Lift" }).click();
  await expect(lock).toHaveCount(0);
});

test("who has a palette needs no mouse: places, times, colours, links and lines for a shell", async ({ page, gate, context, asked }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await open(page, gate, asked);
  await page.keyboard.press("Control+k");
  const field = page.getByRole("combobox", { name: "What to do" });
  await expect(field).toBeFocused();
  await look(page, "palette", LOOKS[0]!);
  await field.fill("curl");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("status").filter({ hasText: "Copied." })).toBeAttached();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  expect(copied).toContain(`'${gate.url}/api/v1/exceptions/${asked}'`);
  expect(copied).not.toMatch(/[0-9a-f]{64}'? --|proviso_session=/);
  await page.keyboard.press("Control+k");
  await field.fill("locks");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "Locks" })).toBeVisible();
  await page.keyboard.press("Control+k");
  await field.fill(asked);
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(new RegExp(`${asked}$`));
  await page.keyboard.press("Control+k");
  await field.fill("dark");
  await page.keyboard.press("Enter");
  await expect(page.locator("html")).toHaveAttribute("data-theme", "light");
});

test.describe("in another zone", () => {
  test.use({ timezoneId: "Asia/Kolkata" });
  test("times are told in UTC until one wants them as here, and the zone is told with them", async ({ page, gate, asked }) => {
    await signIn(page, gate);
    await expect(line(page, asked)).toContainText("UTC");
    await page.getByRole("button", { name: "Times: UTC" }).click();
    await expect(line(page, asked)).toContainText("+05:30");
    await page.getByRole("button", { name: "Times: as here" }).click();
    await expect(line(page, asked)).toContainText("UTC");
  });
});

test("while live changes are away the page says so and what may be old", async ({ page, gate, asked }) => {
  await page.route("**/api/v1/events*", (route: Route) => route.fulfill({ status: 503 }));
  await signIn(page, gate);
  await expect(page.getByText("Live changes are away.")).toBeVisible();
  await expect(line(page, asked)).toBeVisible();
  await page.unrouteAll();
  await expect(page.getByText("Live changes are away.")).toHaveCount(0, { timeout: 20_000 });
});

test("a stream that was cut is told of while the browser connects anew by itself", async ({ page, gate, asked }) => {
  const cut = { status: 200, contentType: "text/event-stream", body: "retry: 1000\n\n" };
  await page.route("**/api/v1/events*", (route: Route) => route.fulfill(cut));
  await signIn(page, gate);
  await expect(page.getByText("Live changes are away.")).toBeVisible();
  await expect(line(page, asked)).toBeVisible();
  await page.unrouteAll();
  await expect(page.getByText("Live changes are away.")).toHaveCount(0, { timeout: 20_000 });
});

test("what an old gate does not say and a new one says besides breaks no page", async ({ page, gate, asked }) => {
  await page.route("**/api/v1/exceptions*", async (route: Route) => {
    const response = await route.fetch();
    const body = await response.json();
    delete body.tiers;
    delete body.attention;
    body.said_by_a_newer_gate = { deep: [1, 2, 3] };
    for (const each of body.exceptions ?? []) {
      delete each.grant;
      each.state_of_the_art = "new";
    }
    await route.fulfill({ response, json: body });
  });
  await signIn(page, gate);
  await expect(line(page, asked)).toBeVisible();
});

for (const how of LOOKS) {
  test(`looks and accessibility of the queue: ${how.scheme}, ${how.name}`, async ({ page, gate, asked }) => {
    await page.emulateMedia({ colorScheme: how.scheme, reducedMotion: "reduce" });
    await page.setViewportSize(how.viewport);
    await open(page, gate, asked);
    await approve(page);
    await expect(inState(page, "granted")).toBeVisible();
    await look(page, "granted", how);
    for (const tab of ["active", "waiting", "reviews", "history", "all"]) {
      await page.goto(`${gate.url}/?tab=${tab}`);
      await expect(page.getByRole("heading", { name: "Queue" })).toBeVisible();
      await expect(page.getByText("Asking the gate …")).toHaveCount(0);
      await look(page, `queue-${tab}`, how);
    }
  });
}
