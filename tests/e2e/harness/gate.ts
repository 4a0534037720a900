// The real server in a folder of its own, and what an operator does with it: start, mint, verify, stop.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

import type { Server } from "./client.ts";
import { FILESYSTEM_SERVER, PROVISO, ROOT } from "./places.ts";

/** The folder that the sample bundle's policies name; a copy of the bundle has the real one instead. */
const NAMED_FOLDER = "/srv/files";

export class Gate {
  readonly folder: string;
  readonly url: string;
  /** The folder that the agent's MCP server serves. */
  readonly files: string;
  readonly #child: ChildProcess;

  private constructor(folder: string, files: string, url: string, child: ChildProcess) {
    this.folder = folder;
    this.files = files;
    this.url = url;
    this.#child = child;
  }

  /**
   * Starts a gate with the sample bundle over an empty data folder. The test stands in for the operator and runs under
   * the gate's own user, so nobody could sign in without `--single-user`. What `more` writes into the folder can stand on
   * the command line.
   */
  static async start(mode: "single-user" | "own user" = "single-user", more: (folder: string) => string[] = () => []): Promise<Gate> {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), "proviso-story-")));
    const files = join(folder, "files");
    mkdirSync(join(files, "reports"), { recursive: true });
    writeFileSync(join(files, "notes.txt"), "Q4 closes on Friday.\n");
    const bundle = join(folder, "bundle");
    cpSync(join(ROOT, "bundles/sample"), bundle, { recursive: true });
    nameFolder(bundle, files);
    return Gate.#serve(folder, files, [...(mode === "single-user" ? ["--single-user"] : []), ...more(folder)]);
  }

  /** A backup of this gate's data folder, put back in a folder of its own, and a gate on it with `more` on the command line. */
  static async restored(gate: Gate, more: string[] = []): Promise<Gate> {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), "proviso-story-")));
    cpSync(join(gate.folder, "bundle"), join(folder, "bundle"), { recursive: true });
    gate.run("backup", "--to", join(folder, "backup"));
    const put = ["restore", "--from", join(folder, "backup"), "--data", join(folder, "data"), "--reason", "the disk broke"];
    execFileSync(PROVISO, put, { encoding: "utf8" });
    return Gate.#serve(folder, gate.files, ["--single-user", ...more]);
  }

  /** Serves the bundle and the data in a folder. */
  static async #serve(folder: string, files: string, more: string[]): Promise<Gate> {
    const [bundle, data] = [join(folder, "bundle"), join(folder, "data")];
    const listen = more.includes("--listen") ? [] : ["--listen", "127.0.0.1:0"];
    const args = ["serve", "--bundle", bundle, "--data", data, ...listen, ...more];
    const child = spawn(PROVISO, args, { stdio: ["ignore", "pipe", "inherit"] });
    const url = await new Promise<string>((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", (code) => reject(new Error(`proviso serve ended with ${code}`)));
      createInterface({ input: child.stdout! }).on("line", (line) => {
        const url = /https?:\/\/[^\s/]+/.exec(line)?.[0];
        if (url !== undefined) resolve(url);
      });
    });
    return new Gate(folder, files, url, child);
  }

  /** Runs a command of the same binary over this gate's data folder. */
  run(...args: string[]): string {
    return execFileSync(PROVISO, [...args, "--data", join(this.folder, "data")], { encoding: "utf8" }).trim();
  }

  /** A one-time sign-in link. */
  signInLink(user: string): string {
    const link = /https?:\/\/\S+/.exec(this.run("token", "approver", "--user", user))?.[0];
    if (link === undefined) throw new Error("no link was minted");
    return link;
  }

  /**
   * How an agent's client starts the filesystem server behind the proxy, with credentials for one task. The proxy reaches
   * the gate at `url`.
   */
  proxied(agent: { subject: string; task: string; person: string; server: string }, url = this.url): Server {
    const token = this.run("token", "agent", "--subject", agent.subject, "--task", agent.task, "--for", agent.person);
    const own = this.run("token", "enforcement-point", "--name", `proxy-${agent.task}`, "--subjects", agent.subject, "--servers", agent.server);
    return {
      command: PROVISO,
      args: ["mcp", "--gate", url, "--server", agent.server, "--state", this.folder, "--", process.execPath, FILESYSTEM_SERVER, this.files],
      env: { PROVISO_TOKEN: own, PROVISO_SUBJECT_TOKEN: token, PATH: process.env["PATH"] ?? "" },
    };
  }

  /** Takes back what an agent asked for, unless it was decided: it may have twenty open requests, and its tests share them. */
  async cancel({ env }: Server, id: string): Promise<void> {
    const headers = { authorization: `Bearer ${env["PROVISO_TOKEN"]}`, "proviso-subject-token": env["PROVISO_SUBJECT_TOKEN"]!, "content-type": "application/json" };
    const answer = await fetch(`${this.url}/access/v1/requests/${id}/cancel`, { method: "POST", headers, body: "{}" });
    // Decided, or lapsed: nothing is open.
    if (!answer.ok && answer.status !== 409) throw new Error(`not taken back: ${answer.status} ${await answer.text()}`);
  }

  /** Stops the server and removes its folder. */
  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once("exit", resolve));
    this.#child.kill("SIGTERM");
    await ended;
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function nameFolder(folder: string, files: string): void {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) nameFolder(path, files);
    else writeFileSync(path, readFileSync(path, "utf8").replaceAll(NAMED_FOLDER, files));
  }
}
