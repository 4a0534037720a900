// The main job, end to end: a gated agent asks, a human approves in the browser, the call goes through.
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { type Locator, type Page, expect } from "@playwright/test";

import { inState, watched as test } from "./harness/asked.ts";
import { CLIENTS, type Result } from "./harness/client.ts";
import { Gate } from "./harness/gate.ts";
import { Model, text } from "./harness/model.ts";

/** Who acts, on whose behalf and behind which server: names of the sample bundle. */
const AGENT = { subject: "Agent::spiffe://acme.example/agent/report-writer", person: "ines", server: "files" };
const APPROVER = "mara";

/** ARAP's offer, where the proxy puts it. */
function offer(result: Result): unknown {
  const context = result._meta?.["proviso.dev/context"] as { access_request?: unknown } | undefined;
  return context?.access_request;
}

for (const [name, connect] of Object.entries(CLIENTS)) {
  test(`the story, with the ${name} client`, async ({ page }) => {
    const gate = await Gate.start();
    const reports = join(gate.files, "reports");
    const model = new Model(await connect(gate.proxied({ ...AGENT, task: "close-q4" })));
    const other = new Model(await connect(gate.proxied({ ...AGENT, task: "tidy-up" })));
    const report = { tool: "write_file", args: { path: join(reports, "q4/summary.md"), content: "All accounts balance.\n" } };
    mkdirSync(join(reports, "q4"));
    try {
      await test.step("1. reading inside its folder is delegated scope", async () => {
        expect(await model.look()).toEqual(expect.arrayContaining(["read_text_file", "write_file", "move_file"]));
        const read = await model.call({ tool: "read_text_file", args: { path: join(gate.files, "notes.txt") } });
        expect(read.isError ?? false).toBe(false);
        expect(text(read)).toContain("Q4 closes on Friday.");
      });

      const refused = await test.step("2. writing is outside: a sentence to act on, and nothing written", async () => {
        const refused = await model.call(report);
        expect(refused.isError).toBe(true);
        expect(text(refused)).toContain("was not run");
        expect(offer(refused)).toMatchObject({ endpoint: expect.stringContaining("/access/v1/requests") });
        expect(existsSync(report.args.path)).toBe(false);
        return refused;
      });

      await test.step("3. moving is forbidden: refused, and not requestable", async () => {
        const move = { tool: "move_file", args: { source: join(gate.files, "notes.txt"), destination: join(reports, "notes.txt") } };
        const moved = await model.call(move);
        expect(moved.isError).toBe(true);
        expect(offer(moved)).toBeUndefined();
        expect(text(moved)).toContain("no approval can lift");
        expect(existsSync(move.args.source)).toBe(true);
        await expect(model.request(moved, { ...move, why: "tidy", duration: "5m", uses: 1, folder: reports })).rejects.toThrow();
      });

      const id = await test.step("4. the model asks over the same connection, and the queue shows it without a reload", async () => {
        await page.goto(gate.signInLink(APPROVER));
        await expect(page.getByRole("heading", { name: "Queue" })).toBeVisible();
        const lines = page.locator("a[data-line]");
        await expect(lines).toHaveCount(0);
        const planned = await model.check(report);
        expect(text(planned)).toContain("needs a person's approval");
        expect(existsSync(report.args.path)).toBe(false);
        const asked = await model.request(refused, {
          ...report,
          why: "The quarter's summary belongs in reports.",
          duration: "30m",
          uses: 3,
          folder: reports,
        });
        await expect(lines).toHaveCount(1);
        await expect(lines).toContainText("report-writer");
        await expect(lines).toContainText("close-q4");
        return asked.id;
      });

      await test.step("5. the approver sees what would run, narrows it, sees the preview follow, and approves", async () => {
        await page.locator("a[data-line]").click();
        await expect(page).toHaveURL(new RegExp(`/exceptions/${id}$`));
        await seesTheFacts(page, report.args.path);
        const preview = page.getByRole("region", { name: "If you say yes" });
        await expect(preview.getByText("allow", { exact: true }).first()).toBeVisible();
        await expect(preview).toContainText("nothing: every dimension is fixed");

        const fails = (dimension: string) => edge(preview, dimension).locator("td").last();
        const before = await fails("time").textContent();
        await page.getByRole("button", { name: "Open more than this …" }).click();
        await page.getByLabel("valid for", { exact: true }).fill("1m");
        await expect(fails("time")).toHaveText("1m from its start");
        expect(before).not.toBe("1m from its start");
        await page.getByRole("radio", { name: "by conditions" }).check();
        await page.getByRole("combobox", { name: "path", exact: true }).selectOption("inside");
        const folder = page.getByRole("textbox", { name: "path: the folder" });
        await folder.fill(reports);
        await page.getByRole("combobox", { name: "content", exact: true }).selectOption("open");
        await expect(preview).toContainText("input.content");
        await expect(preview.getByRole("table").first()).toContainText(`${reports}/`);
        await folder.fill(join(reports, "q4"));
        await expect(preview.getByRole("table").first()).toContainText(join(reports, "q4/"));
        await expect(fails("uses")).toHaveText("use 2");
        await page.getByLabel("uses").fill("2");
        await expect(fails("uses")).toHaveText("use 3");

        await page.getByLabel("Reason").fill("The summary is due; q4 only.");
        await page.getByRole("button", { name: "Approve" }).click();
        await expect(inState(page, "granted")).toBeVisible();
        expect(text(await model.wait(id))).toContain("is approved");
      });

      await test.step("6. the same call goes through; nothing beyond it does; then time ends it", async () => {
        const written = await model.call(report);
        expect(text(written)).not.toContain("was not run");
        expect(written.isError ?? false).toBe(false);
        expect(readFileSync(report.args.path, "utf8")).toBe("All accounts balance.\n");

        const beside = { ...report, args: { ...report.args, path: join(reports, "other.md") } };
        expect((await model.call(beside)).isError).toBe(true);
        expect(existsSync(beside.args.path)).toBe(false);

        await other.look();
        const again = { ...report, args: { ...report.args, content: "Overwritten.\n" } };
        expect((await other.call(again)).isError).toBe(true);

        // One use is left; the minute ends it, with nobody doing anything.
        await expect
          .poll(async () => text(await model.check(again)), { timeout: 90_000, intervals: [2_000] })
          .toContain("needs a person's approval");
        expect((await model.call(again)).isError).toBe(true);
        expect(readFileSync(report.args.path, "utf8")).toBe("All accounts balance.\n");
      });

      await test.step("7. the history shows each step, and the log verifies", async () => {
        // Whoever looks makes the gate write down what time has ended.
        await page.reload();
        const history = page.getByRole("region", { name: "History" });
        const told = [
          "Asked for by",
          "The quarter's summary belongs in reports.",
          `User::${APPROVER} approved version 2`,
          "The summary is due; q4 only.",
          "Granted until",
          "2 uses at most",
          "Used by evaluation",
          "Observed: the call ran",
          "Its time ended",
        ];
        for (const words of told) await expect(history).toContainText(words);
        const times = await history.locator("time").evaluateAll((all) => all.map((time) => time.getAttribute("datetime") ?? ""));
        expect(times.length).toBeGreaterThanOrEqual(4);
        expect(times).toEqual([...times].sort());
        expect(gate.run("audit", "verify")).toMatch(/verif|fine|records/i);
      });
    } finally {
      await Promise.all([model.close(), other.close()]);
      await gate.stop();
    }
  });
}

/** The row of the preview that says where the grant ends in one dimension. */
const edge = (preview: Locator, dimension: string): Locator =>
  preview.locator(".borders tr", { has: preview.page().getByRole("rowheader", { name: dimension, exact: true }) });

/** What will run, who asks, why it is blocked and on which terms, and the agent's own words. */
async function seesTheFacts(page: Page, path: string): Promise<void> {
  const region = (name: string) => page.getByRole("region", { name });
  await expect(region("What will run")).toContainText(path);
  await expect(region("Who asks")).toContainText("close-q4");
  await expect(region("Who asks")).toContainText(AGENT.person);
  await expect(region("Why it is blocked")).toContainText("Terms of a yes");
  await expect(region("What the agent says")).toContainText("The quarter's summary belongs in reports.");
}
