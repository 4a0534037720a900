// What assistive technology is told of the pages that matter most: landmarks, headings, lists, names and states, in their
// order. Only what is stable is written down: what stands in them is told by other specs.

import { expect } from "@playwright/test";

import { approve, inState, open, signIn } from "./harness/asked.ts";
import { testWith } from "./harness/roles.ts";

const test = testWith({ mara: ["administrators", "auditors", "operators"] });

test("the queue: where one is, what there is to do, and each request as one link", async ({ page, gate, asked }) => {
  await signIn(page, gate);
  await expect(page.locator(`a[href$="${asked}"]`)).toBeVisible();
  await expect(page.getByRole("navigation", { name: "Proviso" })).toMatchAriaSnapshot(`
    - navigation "Proviso":
      - link "Proviso"
      - link /Queue/
      - link "Active grants"
      - link "History"
      - link "Locks"
      - link "Reviews"
      - link /Findings/
      - link "Ownership"
      - link "People"
      - link "Policies"
      - link "Agents"
      - link "Pictures"
      - link "What if"
      - link "Record"
      - paragraph:
        - link "mara"
        - button /Times/
        - button "Sign out"
  `);
  await expect(page.getByRole("main")).toMatchAriaSnapshot(`
    - main:
      - heading "Queue" [level=1]
      - navigation "Which exceptions":
        - link /Needs me \\d+/
        - link /Waiting on others/
        - link /Active grants/
        - link /Reviews due/
        - link /History/
        - link /All/
      - search:
        - searchbox "Search"
      - list
  `);
});

test("a request in the queue is a link and a box to choose it by", async ({ page, gate, asked }) => {
  await signIn(page, gate);
  await expect(page.locator("li", { has: page.locator(`a[href$="${asked}"]`) })).toMatchAriaSnapshot(`
    - listitem:
      - checkbox /^Choose /
      - link /^writes .* in task .* decide by .* votes 0 of 1$/
  `);
});

test("the decision page: the question first, the agent's words late, the decision in a region of its own", async ({ page, gate, asked }) => {
  await open(page, gate, asked);
  await expect(page.getByRole("region", { name: "If you say yes" })).toContainText("nothing: every dimension is fixed");
  await expect(page.getByRole("main")).toMatchAriaSnapshot(`
    - main:
      - heading /report-writer/ [level=1]
      - region "What will run":
        - heading "What will run" [level=2]
        - table
      - region "Who asks":
        - heading "Who asks" [level=2]
        - list:
          - listitem
          - listitem
        - table
      - region "Why it is blocked"
      - region "What the agent says"
      - region "What a yes would be":
        - paragraph:
          - button "Open more than this …"
        - heading "Not fixed by this yes" [level=3]
      - region "If you say yes"
      - region "What became of the like"
      - region "History":
        - list
      - region "Decide":
        - term: decide by
        - term: if granted now, ends
        - term: approvals
        - textbox "Reason"
        - button "Ask"
        - button "Refuse"
        - button "Approve"
        - status
        - paragraph:
          - button "Hand over …"
  `);
  // What is missing is said of the field that it is missing in.
  await page.getByRole("button", { name: "Approve" }).click();
  await expect(page.getByLabel("Reason")).toHaveAttribute("aria-invalid", "true");
  await expect(page.getByLabel("Reason")).toHaveAccessibleDescription(/A reason is needed/);
});

test("a grant: its end, its reason and the one act", async ({ page, gate, asked }) => {
  await open(page, gate, asked);
  await approve(page);
  await expect(inState(page, "granted")).toBeVisible();
  await expect(page.getByRole("region", { name: "Act on the grant" })).toMatchAriaSnapshot(`
    - region "Act on the grant":
      - term: ends
      - textbox "Reason"
      - button "Revoke"
      - status
  `);
});

test("policies, people and the record: headings and lists by name", async ({ page, gate }) => {
  await signIn(page, gate);
  await page.goto(`${gate.url}/policies`);
  await expect(page.getByRole("main")).toMatchAriaSnapshot(`
    - main:
      - heading "Policies" [level=1]
      - region "Proposed":
        - heading "Proposed" [level=2]
      - region "Activated":
        - heading "Activated" [level=2]
        - list:
          - listitem
  `);
  await page.goto(`${gate.url}/people`);
  await expect(page.getByRole("main")).toMatchAriaSnapshot(`
    - main:
      - heading "People" [level=1]
      - region "Invite somebody":
        - textbox /^Who/
        - textbox "Why they are invited"
        - paragraph:
          - button "Invite"
      - region "Everybody":
        - list:
          - listitem:
            - link
  `);
  await page.goto(`${gate.url}/record`);
  await expect(page.getByRole("main")).toMatchAriaSnapshot(`
    - main:
      - heading "Record" [level=1]
      - navigation "The record":
        - link "Where it stands"
        - link "The log"
        - link "Retention"
      - button "Export …"
      - region "What judges":
        - table:
          - rowgroup:
            - row /bundle/
            - row /module/
      - region "Logs"
      - region "Check a receipt"
  `);
});
