// Passkeys in a browser: Chromium's virtual authenticator makes them, signs in and signs votes.
import { mkdirSync } from "node:fs";
import { join } from "node:path";

import { type Page, expect } from "@playwright/test";

import { AGENT, LOOKS, approve, inState, look, watched as base } from "./harness/asked.ts";
import { CLIENTS } from "./harness/client.ts";
import { Gate } from "./harness/gate.ts";
import { Model } from "./harness/model.ts";
import { demandSignatures, enrol, heading, here, named, present } from "./harness/passkeys.ts";

/** A gate for each test: only the first passkey of a person counts at once. */
const test = base.extend<{ gate: Gate; asked: string }>({
  gate: [
    async ({}, use) => {
      const at = await named();
      const gate = await Gate.start("single-user", (folder) => {
        demandSignatures(folder);
        return at;
      });
      await use(gate);
      await gate.stop();
    },
    { scope: "test" },
  ],
  /** One open request for each test. */
  asked: async ({ gate }, use, info) => {
    const below = join(gate.files, "reports", info.testId);
    mkdirSync(below, { recursive: true });
    const model = new Model(await CLIENTS["node"]!(gate.proxied({ ...AGENT, task: `signed-${info.testId}` })));
    await model.look();
    const call = { tool: "write_file", args: { path: join(below, "q4.md"), content: "Balanced.\n" } };
    const refusal = await model.call(call);
    const wish = { ...call, why: "the quarter ends", duration: "30m", uses: 3, folder: below };
    await use((await model.request(refusal, wish)).id);
    await model.close();
  },
});

async function signIn(page: Page, gate: Gate, user: string): Promise<void> {
  await page.goto(gate.signInLink(user));
  await expect(heading(page, "Queue")).toBeVisible();
}

async function open(page: Page, gate: Gate, asked: string): Promise<void> {
  await page.goto(`${here(gate)}/exceptions/${asked}`);
  await expect(page.getByRole("region", { name: "What will run" })).toBeVisible();
}

/** The votes of an exception as the gate tells them, asked with the page's own session. */
async function votes(page: Page, asked: string): Promise<{ proof?: { by: string; statement: string } }[]> {
  return page.evaluate(async (id) => {
    const headers = { "proviso-session-key": localStorage.getItem("proviso-session-key") ?? "" };
    return (await (await fetch(`/api/v1/exceptions/${id}`, { headers })).json()).exception.votes;
  }, asked);
}

test("a person adds a passkey, signs in by it, signs a vote by it, and ends it", async ({ page, gate, asked }) => {
  await enrol(page, gate, "mara");
  // Out, and in again by the passkey alone.
  await page.context().clearCookies();
  await page.goto(here(gate));
  await expect(heading(page, "Sign in")).toBeVisible();
  await page.getByRole("button", { name: "Sign in with a passkey" }).click();
  await expect(heading(page, "Queue")).toBeVisible();
  await expect(page.getByText("signed in by webauthn")).toBeVisible();
  await open(page, gate, asked);
  await expect(page.getByText("An approval is signed by a passkey of yours")).toBeVisible();
  await approve(page);
  await expect(page.getByText("Granted. The agent can repeat its call.").first()).toBeVisible();
  const cast = (await votes(page, asked))[0]!;
  expect(cast.proof?.by).toBe("signature");
  expect(JSON.parse(cast.proof!.statement).exception).toBe(asked);
  // Verified offline, with its signature.
  expect(JSON.parse(gate.run("audit", "verify", "--json")).signatures).toBeGreaterThan(0);
  await page.goto(`${here(gate)}/you`);
  await page.getByRole("button", { name: "End the passkey key of mara" }).click();
  // With it ends the session that it made.
  await expect(heading(page, "Sign in")).toBeVisible();
});

test("a name that somebody is typing stays while others do something", async ({ page, gate }) => {
  await signIn(page, gate, "mara");
  await page.goto(`${here(gate)}/you`);
  const name = page.getByLabel("Name");
  await name.fill("my lap");
  const asked = page.waitForResponse((response) => response.url().endsWith("/api/v1/passkeys"));
  // A sign-in is a record: everything on the page is asked for again.
  gate.signInLink("ola");
  await asked;
  await name.pressSequentially("top");
  await expect(name).toHaveValue("my laptop");
  await expect(name).toBeFocused();
});

test("whoever has no passkey is told so before, and can refuse", async ({ page, gate, asked }) => {
  await signIn(page, gate, "ola");
  await open(page, gate, asked);
  await expect(page.getByText(/You cannot vote: the terms demand that the vote is signed/)).toBeVisible();
  await page.getByLabel("Reason").fill("not this week");
  await page.getByRole("button", { name: "Refuse" }).click();
  await expect(inState(page, "denied")).toBeVisible();
});

test("an authenticator that verifies nobody signs nothing, and the page says what to do", async ({ page, gate, asked }) => {
  const authenticator = await enrol(page, gate, "mara");
  await present(authenticator, false);
  await open(page, gate, asked);
  await approve(page);
  await expect(page.getByText(/No authenticator answered/).first()).toBeVisible();
  expect(await votes(page, asked)).toEqual([]);
  // What it was refused for is mended, and the same page votes.
  await present(authenticator, true);
  const granted = page.getByText("Granted. The agent can repeat its call.").first();
  // In the moment after the page has changed the button is inert: whoever sees that presses again.
  await expect(async () => {
    if (!(await granted.isVisible())) await approve(page);
    await expect(granted).toBeVisible({ timeout: 5_000 });
  }).toPass();
});

test("a copy of an authenticator is noticed at its second use, and both are out", async ({ page, gate, asked }) => {
  const { cdp, id } = await enrol(page, gate, "ola");
  const { credentials } = await cdp.send("WebAuthn.getCredentials", { authenticatorId: id });
  const copied = credentials[0]!;
  // The person goes on with theirs …
  await page.context().clearCookies();
  await page.goto(here(gate));
  await page.getByRole("button", { name: "Sign in with a passkey" }).click();
  await expect(heading(page, "Queue")).toBeVisible();
  // … and somebody else with the copy, whose counter has not grown.
  await cdp.send("WebAuthn.removeCredential", { authenticatorId: id, credentialId: copied.credentialId });
  await cdp.send("WebAuthn.addCredential", { authenticatorId: id, credential: { ...copied, signCount: 0 } });
  await signIn(page, gate, "ola");
  await open(page, gate, asked);
  await approve(page);
  await expect(page.getByText(/there is a copy of it, and it is suspended/).first()).toBeVisible();
  expect(await votes(page, asked)).toEqual([]);
  await page.goto(`${here(gate)}/you`);
  await expect(page.getByText("Somebody has a copy of it. It signs nothing; end it, and find out who.")).toBeVisible();
});

test("another page's challenge, and another origin, sign nothing here", async ({ page, gate, asked }) => {
  await enrol(page, gate, "mara");
  await open(page, gate, asked);
  const origin = here(gate);
  // A page of another name has no passkeys of this one: the browser itself refuses.
  await page.goto(origin.replace("localhost", "127.0.0.1"));
  const refused = await page.evaluate(async () => {
    const options = { challenge: new Uint8Array(32), rpId: "localhost", userVerification: "required" as const };
    return navigator.credentials.get({ publicKey: options }).then(() => "signed", (error: Error) => error.name);
  });
  expect(refused).toBe("SecurityError");
  // A challenge that the gate did not make, signed by the right passkey on the right page.
  await open(page, gate, asked);
  await page.route("**/votes/challenge", async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, json: { ...(await answer.json()), nonce: "0".repeat(64) } });
  });
  await approve(page);
  await expect(page.getByText(/it answers another challenge/).first()).toBeVisible();
  await page.unroute("**/votes/challenge");
  // The same signature again, after it was used.
  let sent = "";
  await page.route("**/votes", async (route) => {
    sent = route.request().postData() ?? "";
    await route.fallback();
  });
  await page.reload();
  await approve(page);
  await expect(page.getByText("Granted. The agent can repeat its call.").first()).toBeVisible();
  expect(JSON.parse(sent).signature.assertion.signature).toBeTruthy();
  await page.unroute("**/votes");
  const again = await page.evaluate(
    async ([id, body]) => {
      const headers = { "content-type": "application/json", "proviso-session-key": localStorage.getItem("proviso-session-key") ?? "" };
      return (await fetch(`/api/v1/exceptions/${id}/votes`, { method: "POST", headers, body })).status;
    },
    [asked, sent] as const,
  );
  // The same vote again is done already: it is told so, and counts once.
  expect(again).toBe(200);
  expect((await votes(page, asked)).length).toBe(1);
});

for (const at of LOOKS) {
  test(`looks of the pages with passkeys: ${at.scheme}, ${at.name}`, async ({ page, gate, asked }) => {
    await page.setViewportSize(at.viewport);
    await page.emulateMedia({ colorScheme: at.scheme });
    await page.goto(here(gate));
    await expect(page.getByRole("button", { name: "Sign in with a passkey" })).toBeVisible();
    await look(page, "sign-in-by-passkey", at);
    await enrol(page, gate, "mara");
    await look(page, "passkeys", at);
    await open(page, gate, asked);
    await expect(page.getByText("An approval is signed by a passkey of yours")).toBeVisible();
    await look(page, "decision-signed", at);
  });
}
