// Nobody takes a demo for a gate, nor a gate for a demo: every page of the one says what it is, and no page of the other.
import { execFile } from "node:child_process";
import { networkInterfaces } from "node:os";
import { promisify } from "node:util";

import { type Page, expect } from "@playwright/test";

import { watched as base } from "./harness/asked.ts";
import { CLIENTS } from "./harness/client.ts";
import { Demo } from "./harness/demo.ts";
import { Gate } from "./harness/gate.ts";
import { Model } from "./harness/model.ts";
import { PROVISO } from "./harness/places.ts";

const test = base.extend<object, { demo: Demo; gate: Gate }>({
  demo: [
    async ({}, use) => {
      const demo = await Demo.start();
      await use(demo);
      await demo.stop();
    },
    { scope: "worker" },
  ],
  gate: [
    async ({}, use) => {
      const gate = await Gate.start();
      await use(gate);
      await gate.stop();
    },
    { scope: "worker" },
  ],
});

/** One worker plays them one after the other: it starts one demo and one gate. */
test.describe.configure({ mode: "default" });

const WINDOWS = [["wide", { width: 1280, height: 900 }], ["narrow", { width: 390, height: 844 }]] as const;
const mark = (page: Page) => page.getByText("This is a demo.", { exact: true });
const heading = (page: Page, name: string | RegExp) => page.getByRole("heading", { name, level: 1 });

/** Goes to every page there is, and says on each when it stands there. */
async function everyPage(page: Page, url: string, signIn: () => Promise<void>, look: (what: string) => Promise<void>): Promise<void> {
  await page.goto(url);
  await expect(heading(page, "Sign in")).toBeVisible();
  await look("sign-in");
  // Who is not signed in meets the same page at any address, also at one with nothing behind it.
  await page.goto(`${url}/nowhere`);
  await expect(heading(page, "Sign in")).toBeVisible();
  await look("sign-in at another address");
  await page.goto(`${url}/#a-link-that-nobody-minted`);
  await expect(heading(page, "Sign in")).toBeVisible();
  await look("sign-in after a bad link");

  await page.goto(url);
  await signIn();
  await expect(heading(page, "Queue")).toBeVisible();
  await expect(page.locator("a[data-line]").first()).toBeVisible({ timeout: 60_000 });
  await look("queue");
  await page.getByRole("button", { name: "Keys" }).click();
  await expect(page.getByRole("dialog", { name: "Keys" })).toBeVisible();
  await look("help");
  await page.getByRole("button", { name: "Close" }).click();
  for (const list of ["Active grants", "History"]) {
    const link = page.getByRole("navigation", { name: "Proviso" }).getByRole("link", { name: list });
    await link.click();
    await expect(link).toHaveAttribute("aria-current", "page");
    await look(list);
  }
  await page.goto(url);
  await page.locator("a[data-line]").first().click();
  await expect(page.getByRole("region", { name: "What will run" })).toBeVisible();
  await look("decision");
  await page.goto(`${url}/reviews`);
  await expect(heading(page, "Reviews")).toBeVisible();
  await look("reviews");
  await page.goto(`${url}/record`);
  await expect(heading(page, "Record")).toBeVisible();
  await look("record");
  await page.goto(`${url}/nowhere`);
  await expect(heading(page, "Nothing stands here")).toBeVisible();
  await look("not found");

  // A page that hears nothing of the gate knows it all the same.
  const silent = "**/api/v1/session";
  let answer = (): void => {};
  const answered = new Promise<void>((resolve) => (answer = resolve));
  await page.route(silent, async (route) => {
    await answered;
    await route.abort();
  });
  await page.goto(url);
  await expect(page.getByText("Asking the gate who is signed in")).toBeVisible();
  await look("while nothing is known");
  answer();
  await expect(page.getByText("The gate does not answer.")).toBeVisible();
  await look("the gate does not answer");
  await page.unroute(silent);
}

for (const [name, viewport] of WINDOWS) {
  test(`every page of a demo says that it is one: ${name}`, async ({ page, demo }) => {
    await page.setViewportSize(viewport);
    const signIn = () => page.getByRole("button", { name: "Sign in as mara" }).click();
    await everyPage(page, demo.url, signIn, async (what) => {
      await expect(mark(page), what).toBeVisible();
      // It stands inside the window, not somewhere beside it.
      const box = await mark(page).boundingBox();
      expect(box !== null && box.x >= 0 && box.x + box.width <= viewport.width, what).toBe(true);
    });
  });

  test(`no page of a gate says so, and nobody is signed in as anybody: ${name}`, async ({ page, gate }) => {
    await page.setViewportSize(viewport);
    const agent = { subject: "Agent::spiffe://acme.example/agent/report-writer", person: "ines", server: "files" };
    const model = new Model(await CLIENTS["node"]!(gate.proxied({ ...agent, task: `not-a-demo-${name}` })));
    await model.look();
    const call = { tool: "write_file", args: { path: `${gate.files}/reports/${name}.md`, content: "Balanced.\n" } };
    await model.request(await model.call(call), { ...call, why: "The quarter closes.", duration: "30m", uses: 1, folder: `${gate.files}/reports` });
    await model.close();
    const signIn = async () => void (await page.goto(gate.signInLink("mara")));
    await everyPage(page, gate.url, signIn, async (what) => {
      await expect(mark(page), what).toHaveCount(0);
      await expect(page.getByRole("button", { name: /Sign in as/ }), what).toHaveCount(0);
    });
  });
}

test("only a demo offers people to sign in as", async ({ request, demo, gate }) => {
  const who = { person: { type: "User", id: "mara" } };
  expect((await request.get(`${demo.url}/demo/people`)).status()).toBe(200);
  expect((await request.get(`${gate.url}/demo/people`)).status()).toBe(404);
  const refused = await request.post(`${gate.url}/demo/session`, { data: who });
  expect([refused.status(), refused.headers()["set-cookie"]]).toEqual([404, undefined]);
  expect((await request.post(`${demo.url}/demo/session`, { data: who })).status()).toBe(200);
});

test("a demo is reached by loopback alone, and starts nowhere else", async ({ demo }) => {
  const { hostname, port } = new URL(demo.url);
  expect(hostname).toBe("127.0.0.1");
  const addresses = Object.values(networkInterfaces()).flatMap((known) => known ?? []);
  const others = addresses.filter(({ family, internal }) => family === "IPv4" && !internal);
  for (const { address } of others) {
    await expect(fetch(`http://${address}:${port}/livez`), address).rejects.toThrow();
  }
  const started = promisify(execFile)(PROVISO, ["demo", "--json", "--listen", "0.0.0.0:0"]);
  const { code, stdout } = await started.then(
    () => ({ code: 0, stdout: "it started" }),
    (error: { code: number; stdout: string }) => error,
  );
  expect([code, JSON.parse(stdout).error.code]).toEqual([64, "demo_on_loopback"]);
});
