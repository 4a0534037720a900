// People with passkeys: a gate at an address that browsers make passkeys for, whose bundle takes signed votes, and Chromium's
// virtual authenticator in a page.
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";

import { type CDPSession, type Locator, type Page, expect } from "@playwright/test";

import type { Gate } from "./gate.ts";

/** What a gate listens at and is reached by: a name, since browsers make no passkeys for an address. */
export async function named(): Promise<string[]> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return ["--listen", `127.0.0.1:${port}`, "--public-url", `http://localhost:${port}`];
}

/** Writing a file needs a signed vote: what stands where nothing is said. */
export function demandSignatures(folder: string): void {
  const file = join(folder, "bundle", "approval", "request", "files.cedar");
  writeFileSync(file, readFileSync(file, "utf8").replaceAll('@presence("session")\n', ""));
}

/** Where people reach the gate. */
export const here = (gate: Gate): string => new URL(gate.signInLink("mara")).origin;

export const heading = (page: Page, name: string): Locator => page.getByRole("heading", { name, level: 1 });

export interface Authenticator {
  cdp: CDPSession;
  id: string;
}

/** An authenticator in this page's browser. */
export async function plug(page: Page): Promise<Authenticator> {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send("WebAuthn.enable");
  const { authenticatorId } = await cdp.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  return { cdp, id: authenticatorId };
}

/** Whether somebody is there whom the authenticator knows. Where not, it signs nothing, as when they cancel. */
export async function present({ cdp, id }: Authenticator, isUserVerified: boolean): Promise<void> {
  await cdp.send("WebAuthn.setUserVerified", { authenticatorId: id, isUserVerified });
}

/** Signs in by a link and adds a passkey on the page "You". */
export async function enrol(page: Page, gate: Gate, user: string): Promise<Authenticator> {
  const authenticator = await plug(page);
  await page.goto(gate.signInLink(user));
  await expect(heading(page, "Queue")).toBeVisible();
  await page.getByRole("link", { name: user }).click();
  await expect(heading(page, "You")).toBeVisible();
  // The list is here when one can be added to it.
  await expect(page.getByRole("button", { name: "Add a passkey" })).toBeVisible();
  const before = await page.locator(".passkeys li").count();
  await page.getByLabel("Name").fill(`key of ${user}`);
  await page.getByRole("button", { name: "Add a passkey" }).click();
  await expect(page.locator(".passkeys li")).toHaveCount(before + 1);
  return authenticator;
}
