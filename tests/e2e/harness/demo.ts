// `proviso demo` as anybody starts it, in a folder of its own.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { PROVISO } from "./places.ts";

export class Demo {
  readonly url: string;
  readonly #folder: string;
  readonly #child: ChildProcess;

  private constructor(url: string, folder: string, child: ChildProcess) {
    this.url = url;
    this.#folder = folder;
    this.#child = child;
  }

  /** Starts it on a free port. */
  static async start(): Promise<Demo> {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), "proviso-demo-")));
    const args = ["demo", "--json", "--listen", "127.0.0.1:0", "--data", join(folder, "demo")];
    const child = spawn(PROVISO, args, { stdio: ["ignore", "pipe", "inherit"] });
    const url = await new Promise<string>((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", (code) => reject(new Error(`proviso demo ended with ${code}`)));
      createInterface({ input: child.stdout! }).once("line", (line) => resolve((JSON.parse(line) as { url: string }).url));
    });
    return new Demo(url, folder, child);
  }

  /** Stops it and removes its folder. */
  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once("exit", resolve));
    this.#child.kill("SIGTERM");
    await ended;
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
