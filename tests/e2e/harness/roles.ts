// Who may do what by the presets of `console/`, for the specs that are about it.
import { execFileSync } from "node:child_process";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { expect } from "@playwright/test";

import { test } from "./asked.ts";
import { Gate } from "./gate.ts";
import { PROVISO, ROOT } from "./places.ts";

interface Entity {
  uid: { type: string; id: string };
  attrs: Record<string, unknown>;
  parents: { type: string; id: string }[];
}

/** Copies the presets into a bundle as its README says, and puts people into their groups; whom it does not know it knows then. */
export function withRoles(bundle: string, members: Record<string, string[]>): void {
  for (const role of ["approver", "auditor", "agent-owner", "operator", "administrator"]) {
    cpSync(join(ROOT, `bundles/console/${role}.cedar`), join(bundle, `console/${role}.cedar`));
  }
  const path = join(bundle, "entities.json");
  const entities = JSON.parse(readFileSync(path, "utf8")) as Entity[];
  const group = (id: string) => ({ type: "Group", id });
  for (const name of ["auditors", "operators", "administrators"]) entities.push({ uid: group(name), attrs: {}, parents: [] });
  for (const [user, groups] of Object.entries(members)) {
    const known = entities.find(({ uid }) => uid.type === "User" && uid.id === user);
    if (known === undefined) entities.push({ uid: { type: "User", id: user }, attrs: { name: user }, parents: groups.map(group) });
    else known.parents.push(...groups.map(group));
  }
  writeFileSync(path, JSON.stringify(entities));
}

/** A permit that widens the sample bundle. */
export const WRITING_IS_FREE = '@id("writing-is-free")\npermit (principal is Agent, action == Action::"write_file", resource);\n';

/** A bundle with one more file, proposed by kit from the command line; its digest. */
export function propose(gate: Gate, name: string, file: string, text: string): string {
  const folder = join(gate.folder, name);
  cpSync(join(gate.folder, "bundle"), folder, { recursive: true });
  writeFileSync(join(folder, file), text);
  const env = { ...process.env, PROVISO_LINK: gate.signInLink("kit") };
  const args = ["bundle", "propose", folder, "--reason", `${name}, for the quarter \u202Eegnahc on`, "--json"];
  try {
    return JSON.parse(execFileSync(PROVISO, args, { encoding: "utf8", env })).proposal.bundle;
  } catch (error) {
    // Something comes out differently: that is told by the exit code.
    const { status, stdout } = error as { status: number; stdout: string };
    expect([2, 3]).toContain(status);
    return JSON.parse(stdout).proposal.bundle;
  }
}

/** The tests of a spec whose gate, one for each worker, has the presets and these people in their groups. */
export function testWith(members: Record<string, string[]>) {
  return test.extend<object, { gate: Gate }>({
    gate: [
      async ({}, use) => {
        const gate = await Gate.start("single-user", (folder) => {
          withRoles(join(folder, "bundle"), members);
          return [];
        });
        await use(gate);
        await gate.stop();
      },
      { scope: "worker" },
    ],
  });
}
