// People sign in by a provider of other authors, in a browser; the gate does not know their passwords.
import { createServer } from "node:net";
import { join } from "node:path";
import { writeFileSync } from "node:fs";

import { type Page, expect } from "@playwright/test";

import { LOOKS, look, watched as base } from "./harness/asked.ts";
import { Gate } from "./harness/gate.ts";
import { CLIENT, Idp } from "./harness/provider.ts";

interface House {
  gate: Gate;
  idp: Idp;
}

/** A port that nobody listens on: the provider must know the gate's address before the gate is there. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const test = base.extend<object, { house: House }>({
  house: [
    async ({}, use) => {
      const port = await freePort();
      const idp = await Idp.start(`http://127.0.0.1:${port}`, "acme");
      const gate = await Gate.start("single-user", (folder) => {
        const [file, secret] = [join(folder, "sign-in.toml"), join(folder, "oidc.secret")];
        writeFileSync(secret, CLIENT.secret, { mode: 0o600 });
        writeFileSync(
          file,
          `[[provider]]\nname = "acme"\nlabel = "Acme"\nissuer = "${idp.issuer}"\nclient_id = "${CLIENT.id}"\n` +
            `client_secret = { file = "${secret}" }\nallow = ["127.0.0.1/32"]\nscopes = ["groups"]\n` +
            `group_claim = "groups"\n[provider.people]\n"account-of-mara" = "mara"\n` +
            `[provider.groups]\n"acme-security" = "Group::security"\n`,
        );
        return ["--sign-in", file, "--listen", `127.0.0.1:${port}`];
      });
      await use({ gate, idp });
      await gate.stop();
      await idp.stop();
    },
    { scope: "worker" },
  ],
});

test.describe.configure({ mode: "default" });

const heading = (page: Page, name: string) => page.getByRole("heading", { name, level: 1 });
const button = (page: Page) => page.getByRole("button", { name: "Sign in with Acme" });

/** At the provider: its own pages. */
async function atProvider(page: Page, account: string): Promise<void> {
  await page.getByPlaceholder("Enter any login").fill(account);
  await page.getByPlaceholder("and password").fill("whatever");
  await page.getByRole("button", { name: "Sign-in" }).click();
  await page.getByRole("button", { name: "Continue" }).click();
}

test("a person signs in by the provider, comes back to the page that was wanted, and leaves no trace in the address", async ({ page, house }) => {
  await page.goto(`${house.gate.url}/record`);
  await expect(heading(page, "Sign in")).toBeVisible();
  await button(page).click();
  await atProvider(page, "account-of-mara");
  await expect(heading(page, "Record")).toBeVisible();
  expect(page.url()).toBe(`${house.gate.url}/record`);
  await expect(page.getByText("signed in by oidc")).toBeVisible();
  // Whoever goes back in the history finds no address that signs in.
  const entries = await page.evaluate(() => performance.getEntriesByType("navigation").map((entry) => entry.name));
  expect(entries.length).toBe(1);
  await page.reload();
  await expect(heading(page, "Record")).toBeVisible();
  expect((await page.context().cookies()).filter(({ name }) => name.startsWith("proviso_sign_in"))).toEqual([]);
});

test("what the provider says of somebody's groups is shown to them, while the session lasts", async ({ page, another, house }) => {
  await page.goto(`${house.gate.url}/you`);
  await button(page).click();
  await atProvider(page, "account-of-mara");
  await expect(heading(page, "You")).toBeVisible();
  await expect(page.getByText("Your provider says that you are in security")).toBeVisible();
  // A session by a link has none of it, though it is the same person's.
  const other = await another();
  await other.goto(house.gate.signInLink("mara"));
  await expect(heading(other, "Queue")).toBeVisible();
  await other.goto(`${house.gate.url}/you`);
  await expect(heading(other, "You")).toBeVisible();
  await expect(other.getByText("You are mara, signed in by link")).toBeVisible();
  await expect(other.getByText("Your provider says")).toHaveCount(0);
});

test("an account that is nobody's signs nobody in, and is told how to become somebody's", async ({ page, house }) => {
  await page.goto(house.gate.url);
  await button(page).click();
  await atProvider(page, "account-of-a-stranger");
  await expect(heading(page, "Sign in")).toBeVisible();
  await expect(page.getByText("account-of-a-stranger")).toBeVisible();
  await expect(page.getByText("--sign-in")).toBeVisible();
  // Nobody is in, also after loading the page again.
  await page.goto(`${house.gate.url}/record`);
  await expect(heading(page, "Sign in")).toBeVisible();
});

test("the address that somebody came back to signs nobody else in", async ({ page, another, house }) => {
  await page.goto(house.gate.url);
  await button(page).click();
  // As if somebody had copied the address to send it on.
  let caught = "";
  page.on("request", (request) => {
    if (/\/sign-in\/acme\/callback/.test(request.url())) caught = request.url();
  });
  await atProvider(page, "account-of-mara");
  await expect(heading(page, "Queue")).toBeVisible();
  expect(caught).toContain("code=");
  const victim = await another();
  await victim.goto(caught);
  await expect(heading(victim, "Sign in")).toBeVisible();
  await expect(victim.getByText("This browser began no such sign-in.")).toBeVisible();
  expect(victim.url()).toBe(`${house.gate.url}/`);
});

test("a provider that says no is told, and the page stays usable", async ({ page, house }) => {
  await page.goto(house.gate.url);
  await button(page).click();
  await page.getByRole("link", { name: "[ Cancel ]" }).click();
  await expect(heading(page, "Sign in")).toBeVisible();
  await expect(page.getByText("access_denied")).toBeVisible();
  await expect(button(page)).toBeEnabled();
});

for (const at of LOOKS) {
  test(`looks of the sign-in page: ${at.scheme}, ${at.name}`, async ({ page, house }) => {
    await page.setViewportSize(at.viewport);
    await page.emulateMedia({ colorScheme: at.scheme });
    await page.goto(house.gate.url);
    await expect(button(page)).toBeVisible();
    await look(page, "sign-in-by-provider", at);
    // By the keyboard alone.
    await button(page).focus();
    await page.keyboard.press("Enter");
    await expect(page.getByPlaceholder("Enter any login")).toBeVisible();
  });
}
