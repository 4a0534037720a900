// Words from outside in every field that takes them, and then every page that the router knows: text with odd characters
// made visible, never an element, and nothing of it runs. A page that is added without a place in the list here fails.
import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { type Page, expect } from "@playwright/test";

import { AGENT, approve, inState, signIn } from "./harness/asked.ts";
import type { Gate } from "./harness/gate.ts";
import { PROVISO, ROOT } from "./harness/places.ts";
import { POST_JOURNAL, Point } from "./harness/point.ts";
import { testWith } from "./harness/roles.ts";

/** What would run if it were markup, and turn the text around if it were not made visible. */
const MARKUP = `<img src=x onerror="document.title='owned'"><b>done</b>`;
const loud = (what: string) => `${what} ${MARKUP} \u202Egnp.exe`;
/** What somebody could put into the address of a page. */
const PATH = "an address <img src=x onerror=alert(1)><b>done \u202Egnp";
/** A name: it holds no white space, no `<` and nothing odd, and reads as markup wherever it is not escaped once. */
const NAME = "&lt;b&gt;done&lt;/b&gt;";
/** Text that a page shows of what somebody called so. */
const shown = (what: string) => new RegExp(`${what} ${MARKUP.replace(/[()=.]/g, "\\$&")} (?:⟨)?U\\+202E(?:⟩)?gnp\\.exe`);

const WRITER = AGENT.subject.slice("Agent::".length);
/** mara decides, and may read and look after everything; two administrators besides. */
const MEMBERS = { mara: ["administrators", "auditors", "operators"], kit: ["administrators"], jun: ["administrators"], bo: [] };

const test = testWith(MEMBERS);

/** Where hostile words went, for the pages that are about one thing. */
interface Left {
  exception: string;
  finding: string;
  proposal: string;
}

/** Puts hostile words wherever somebody may write any. */
async function leave(page: Page, gate: Gate, asked: string): Promise<Left> {
  // A bundle of somebody's, with a reason, a file and a policy.
  const folder = join(gate.folder, "hostile");
  cpSync(join(gate.folder, "bundle"), folder, { recursive: true });
  const policy = `// ${loud("a comment")}\n@id("nobody-moves")\nforbid (principal is Agent, action == Action::"move_file", resource);\n`;
  writeFileSync(join(folder, "guardrails/moving.cedar"), policy);
  const env = { ...process.env, PROVISO_LINK: gate.signInLink("kit") };
  let told = "";
  try {
    told = execFileSync(PROVISO, ["bundle", "propose", folder, "--reason", loud("a bundle"), "--json"], { encoding: "utf8", env });
  } catch (error) {
    told = (error as { stdout: string }).stdout;
  }
  const proposal = JSON.parse(told).proposal.bundle as string;

  // Evidence of something that the gate was never asked for.
  const point = gate.run("token", "enforcement-point", "--name", "at-the-tool", "--subjects", "Agent::*", "--servers", "files");
  const [type, ...id] = AGENT.subject.split("::");
  const evidence = {
    evidence_id: randomUUID(), phase: "executed", subject: { type, id: id.join("::") }, action: "write_file", server: "files",
    host: NAME, task: NAME, started_at: new Date().toISOString(),
  };
  const headers = { authorization: `Bearer ${point}`, "content-type": "application/json" };
  const brought = await fetch(`${gate.url}/api/v1/executions`, { method: "POST", headers, body: JSON.stringify(evidence) });
  expect(brought.status, await brought.text()).toBe(204);

  gate.run("hold", "place", "--of", "User::ines", "--reason", loud("a hold"));
  await signIn(page, gate, "mara");
  await page.goto(`${gate.url}/locks?task=${encodeURIComponent(NAME)}`);
  await page.getByLabel("Why", { exact: true }).fill(loud("a lock"));
  await page.getByRole("button", { name: "Lock", exact: true }).click();
  await expect(page.locator(".locks li")).toContainText(shown("a lock"));
  await page.goto(`${gate.url}/people`);
  await page.getByLabel("Who: a person's id").fill("bo");
  await page.getByLabel("Why they are invited").fill(loud("an invitation"));
  await page.getByRole("button", { name: "Invite" }).click();
  await expect(page.getByText("The link of bo")).toBeVisible();
  await page.goto(`${gate.url}/findings`);
  await page.locator("li", { hasText: NAME }).getByRole("link").first().click();
  await page.getByLabel("Your words: a comment, or why").fill(loud("a comment"));
  await page.getByRole("button", { name: "Comment" }).click();
  await expect(page.getByRole("region", { name: "History" })).toContainText(shown("a comment"));
  const finding = new URL(page.url()).pathname;

  await page.goto(`${gate.url}/exceptions/${asked}`);
  await approve(page, loud("a yes"));
  await expect(inState(page, "granted")).toBeVisible();
  await page.getByLabel("Reason").fill(loud("an end"));
  await page.getByRole("button", { name: "Revoke" }).click();
  await expect(inState(page, "revoked")).toBeVisible();
  return { exception: `/exceptions/${asked}`, finding, proposal: `/policies/${proposal}` };
}

/** Every address of the router, made concrete, with what of the hostile words stands there. */
function places(left: Left): Record<string, [string, (string | RegExp)[]][]> {
  const hostile = encodeURIComponent(loud("an address"));
  // A page's own address has no dot in its last part.
  const within = encodeURIComponent(PATH);
  const query = `subject=${encodeURIComponent(AGENT.subject)}&action=${hostile}&task=${hostile}&input=${encodeURIComponent(JSON.stringify({ path: loud("/x") }))}`;
  return {
    "/": [["/?tab=history", [WRITER]], [`/?q=${hostile}&tier=${hostile}&tab=all`, []]],
    "/exceptions/:id": [[left.exception, [shown("a yes"), shown("an end"), "Approve at once!"]], [`/exceptions/${within}`, []]],
    "/findings": [["/findings", [NAME]], [`/findings?kind=${hostile}&state=${hostile}`, []]],
    "/findings/:id": [[left.finding, [shown("a comment"), NAME]], [`/findings/${within}`, []]],
    "/reviews": [["/reviews", [WRITER]]],
    "/locks": [["/locks", [shown("a lock"), NAME]], [`/locks?task=${hostile}&subject=${hostile}`, []]],
    "/agents": [["/agents", [WRITER]], [`/agents?type=Agent&id=${encodeURIComponent(WRITER)}`, []], [`/agents?type=${hostile}&id=${hostile}`, [shown("an address")]]],
    "/pictures": [["/pictures", []], [`/pictures?days=${hostile}`, []]],
    "/design": [["/design", ["<b>not bold</b>"]]],
    "/what-if": [[`/what-if?${query}`, []], [`/what-if?record=${hostile}`, []]],
    "/ownership": [["/ownership", []]],
    "/departures/:user": [["/departures/mara", [shown("a lock")]], [`/departures/${within}`, []]],
    "/people": [["/people", []]],
    "/people/:user": [["/people/mara", ["signed in"]], [`/people/${within}`, [/an address <img src=x onerror=alert\(1\)><b>done (?:⟨)?U\+202E/]]],
    "/policies": [["/policies", [shown("a bundle")]]],
    "/policies/:digest": [[left.proposal, [shown("a bundle"), shown("a comment"), "nobody-moves"]], [`/policies/${within}`, []]],
    "/record": [["/record", []]],
    "/record/log": [["/record/log", [shown("an end")]], [`/record/log?kind=${hostile}&person=${hostile}&agent=${hostile}&task=${hostile}`, []]],
    "/you": [["/you", ["this one"]]],
    "/retention": [["/retention", [shown("a hold")]]],
  };
}

test("whatever others wrote is text on every page that the router knows", async ({ another, gate, asked, troubles }) => {
  // The browser, too, says of itself what somebody likes.
  const page = await another({ userAgent: `Mozilla/5.0 ${MARKUP}` });
  page.on("dialog", async (dialog) => {
    troubles.push(`a dialog: ${dialog.message()}`);
    await dialog.dismiss();
  });
  const left = await leave(page, gate, asked);
  const known = places(left);
  const router = readFileSync(join(ROOT, "dashboard/src/app.rs"), "utf8");
  const routes = [...router.matchAll(/<Route path=path!\("([^"]+)"\)/g)].map(([, route]) => route!);
  expect(routes.length).toBeGreaterThan(15);
  expect(Object.keys(known).sort(), "each page of the router has its hostile words here").toEqual([...routes].sort());
  for (const route of [...routes, "nowhere"]) {
    const addresses = known[route] ?? [[`/${encodeURIComponent(PATH)}`, []]];
    for (const [address, words] of addresses) {
      await test.step(address, async () => {
        await page.goto(gate.url + address);
        await expect(page.locator("main")).toBeVisible();
        // What the gate has to say is here: an answer, or that there is none.
        const asking = page.getByText(/^Asking the gate|^Sealing and evaluating/);
        await expect.poll(async () => (await asking.count()) === 0 || (await page.locator(".notice.bad").count()) > 0).toBe(true);
        for (const word of words) await expect(page.locator("main")).toContainText(word);
        await onlyText(page);
      });
    }
  }
});

/** Nothing of what others wrote became an element or ran, and nothing odd stands anywhere but in fields. */
async function onlyText(page: Page): Promise<void> {
  await expect(page.locator("img")).toHaveCount(0);
  await expect(page.locator("b", { hasText: /^(bold|done)$/ })).toHaveCount(0);
  expect(await page.title()).not.toBe("owned");
  const odd = await page.evaluate(() => {
    const attributes = Array.from(document.querySelectorAll("*")).flatMap((element) =>
      ["title", "aria-label", "alt"].map((name) => element.getAttribute(name) ?? ""),
    );
    return [document.title, document.body.innerText, ...attributes].filter((text) => text.includes("\u202E"));
  });
  expect(odd).toEqual([]);
}

test("a task, a point and an agent's words are text where a person decides", async ({ page, gate }) => {
  const point = new Point(gate, `desk-${NAME}`, "ledger");
  const id = await point.request(POST_JOURNAL, point.token(`task-${NAME}`), loud("a wish"));
  await signIn(page, gate, "mara");
  await page.goto(`${gate.url}/exceptions/${id}`);
  await expect(page.getByRole("region", { name: "What the agent says" })).toContainText(shown("a wish"));
  const who = page.getByRole("region", { name: "Who asks" });
  await expect(who.getByRole("row", { name: "task" })).toContainText(`task-${NAME}`);
  await expect(who.getByRole("row", { name: "enforced by" })).toContainText(`desk-${NAME}`);
  await onlyText(page);
});
