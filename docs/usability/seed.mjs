// Ten requests, three of them bad, in a gate of its own: see README.md beside this.
import { execFileSync, spawn } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
const binary = process.argv[2];
if (binary === undefined)
  throw new Error("say where the binary is: node docs/usability/seed.mjs target/debug/proviso");
const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const folder = mkdtempSync(join(tmpdir(), "proviso-usability-"));
const files = join(folder, "files");
const AGENTS = "spiffe://acme.example/agent/";
const WISHES = [
  { name: "report", good: true, path: "reports/weekly.md", why: "The weekly report is due." },
  { name: "minutes", good: true, path: "reports/minutes.md", why: "Minutes of Tuesday." },
  { name: "summary", good: true, path: "reports/summary.md", uses: 3, inside: "reports", why: "The quarter's summary; I may have to correct it." },
  { name: "folder", good: true, action: "create_directory", path: "reports/q4", why: "A folder for the quarter." },
  { name: "correction", good: true, path: "reports/weekly-2.md", why: "A figure was wrong." },
  { name: "appendix", good: true, path: "reports/appendix.md", why: "The appendix to the report." },
  { name: "index", good: true, path: "reports/index.md", why: "An index, so that people find them." },
  { name: "lookalike", good: false, path: "reports/report.txt", content: "Paid to Acme: \u202e000 1\u202c EUR", why: "The report again, as text." },
  { name: "wide", good: false, path: "notes.md", uses: 20, inside: "", why: "One note. It is easier to ask for all at once." },
  { name: "other-agent", good: false, agent: "close-planner", path: "reports/weekly.md", why: "I tidy up." },
];
function renamed(where) {
  for (const name of readdirSync(where)) {
    const path = join(where, name);
    if (statSync(path).isDirectory())
      renamed(path);
    else
      writeFileSync(path, readFileSync(path, "utf8").replaceAll("/srv/files", files));
  }
}
function run(...args) {
  return execFileSync(binary, [...args, "--data", join(folder, "data")], { encoding: "utf8" }).trim();
}
async function post(url, headers, body) {
  const answer = await fetch(url, { method: "POST", headers: { ...headers, "content-type": "application/json" }, body: JSON.stringify(body) });
  return (await answer.json());
}
async function ask(url, wish) {
  const subject = `Agent::${AGENTS}${wish.agent ?? "report-writer"}`;
  const task = `exercise-${wish.name}`;
  const token = run("token", "agent", "--subject", subject, "--task", task, "--for", wish.agent === undefined ? "ines" : "jun");
  const point = run("token", "enforcement-point", "--name", `desk-${wish.name}`, "--subjects", subject, "--servers", "files");
  const headers = { authorization: `Bearer ${point}`, "proviso-subject-token": token };
  const path = join(files, wish.path);
  const input = wish.action === undefined ? { path, content: wish.content ?? "…" } : { path };
  const asked = {
    subject: { type: "Agent", id: subject.slice("Agent::".length) },
    action: { name: wish.action ?? "write_file" },
    resource: { type: "Volume", id: "files" },
    context: { input, "proviso.dev/server": "files" },
  };
  const denied = await post(`${url}/access/v1/evaluation`, headers, asked);
  const offer = denied["context"]?.access_request;
  if (offer === undefined)
    throw new Error(`${wish.name} cannot be asked for: ${JSON.stringify(denied)}`);
  const scope = { ...offer.display.scope, max_uses: wish.uses ?? 1 };
  if (wish.inside !== undefined)
    scope.arguments = [{ at: ["path"], op: "inside", path: join(files, wish.inside) }];
  const made = await post(`${url}/access/v1/requests`, headers, {
    ...asked,
    context: { ...asked.context, business_justification: wish.why },
    denial: { evaluation_id: denied["context"].evaluation_id, expires_at: offer.expires_at },
    requested_access: { "proviso.dev/scope": scope },
  });
  if (made["task"] === undefined)
    throw new Error(`${wish.name} was not taken: ${JSON.stringify(made)}`);
  return made["task"].id;
}
/** What was decided, from the record's own history. */
async function told(url, ids) {
  const link = /https?:\/\/\S+/.exec(run("token", "approver", "--user", "mara"))?.[0] ?? "";
  const signed = await fetch(`${url}/api/v1/session`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ link: link.split("#")[1] }),
  });
  const key = (await signed.json()).key;
  const headers = { cookie: signed.headers.get("set-cookie")?.split(";")[0] ?? "", "proviso-session-key": key };
  let [before, missed] = [0, 0];
  const decided = [];
  for (const wish of WISHES) {
    const answer = await fetch(`${url}/api/v1/exceptions/${ids.get(wish.name)}`, { headers });
    const { exception } = (await answer.json());
    const vote = exception["votes"].at(-1);
    if (vote === undefined)
      continue;
    const exact = exception["versions"].at(-1).scope.arguments === "exact";
    const miss = vote.decision === "approve" && !wish.good && !(wish.name === "wide" && exact);
    decided.push({ name: wish.name, at: Date.parse(vote.at), what: vote.decision, miss });
  }
  for (const { name, at, what, miss } of decided.sort((a, b) => a.at - b.at)) {
    const took = before === 0 ? "first" : `${Math.round((at - before) / 1000)} s`;
    console.log(`${name.padEnd(12)} ${what.padEnd(8)} ${took.padEnd(8)} ${miss ? "MISSED" : ""}`);
    before = at;
    missed += Number(miss);
  }
  console.log(`${decided.length} of ${WISHES.length} decided, ${missed} of 3 missed`);
}
let child;
try {
  const bundle = join(folder, "bundle");
  cpSync(join(root, "bundles/sample"), bundle, { recursive: true });
  renamed(bundle);
  child = spawn(binary, ["serve", "--bundle", bundle, "--data", join(folder, "data"), "--listen", "127.0.0.1:0", "--single-user"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout });
  const url = await new Promise((done, failed) => {
    child.once("exit", (code) => failed(new Error(`the gate ended with ${code}`)));
    lines.on("line", (line) => {
      const found = /https?:\/\/[^\s/]+/.exec(line)?.[0];
      if (found !== undefined)
        done(found);
    });
  });
  const ids = new Map();
  const drawn = WISHES.map((wish) => ({ wish, at: Math.random() })).sort((a, b) => a.at - b.at);
  for (const { wish } of drawn)
    ids.set(wish.name, await ask(url, wish));
  console.log(`Ten requests wait. The link for who decides:\n\n${run("token", "approver", "--user", "mara")}\n\nEnter, when they have decided.`);
  await new Promise((done) => process.stdin.once("data", () => done()));
  await told(url, ids);
}
finally {
  child?.kill("SIGTERM");
  process.stdin.pause();
  rmSync(folder, { recursive: true, force: true });
}
