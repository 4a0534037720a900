// Who may do what by the presets of `console/`, for the specs that are about it.
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { test } from "./asked.ts";
import { Gate } from "./gate.ts";
import { ROOT } from "./places.ts";

interface Entity {
  uid: { type: string; id: string };
  attrs: Record<string, unknown>;
  parents: { type: string; id: string }[];
}

/** Copies the presets into a bundle as its README says, and puts people into their groups; whom it does not know it knows then. */
function withRoles(bundle: string, members: Record<string, string[]>): void {
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
