// A scripted model. It has a goal and a plan of calls; of the world it sees the list of tools and the results of its calls,
// nothing else. Where a tool's members are to be filled, it goes by the words of their descriptions.
import type { McpClient, Result, Tool } from "./client.ts";

export interface Call {
  tool: string;
  args: Record<string, unknown>;
}

/** What the model can say about a call that it wants permission for. */
export interface Wish extends Call {
  why: string;
  duration: string;
  uses: number;
  /** The folder below which it wants to write. */
  folder: string;
}

export class Model {
  readonly #client: McpClient;
  #tools: Tool[] = [];

  constructor(client: McpClient) {
    this.#client = client;
  }

  /** Reads the list of tools. */
  async look(): Promise<string[]> {
    this.#tools = await this.#client.tools();
    return this.#tools.map((tool) => tool.name);
  }

  /** Calls a tool that it found in the list. */
  async call(call: Call): Promise<Result> {
    if (!this.#tools.some((tool) => tool.name === call.tool)) throw new Error(`the list has no tool ${call.tool}`);
    return this.#client.call(call.tool, call.args);
  }

  /** Asks what a planned call would get, with the tool whose description says that it can tell. */
  async check(call: Call): Promise<Result> {
    const tool = this.#describedAs(/whether a call that you plan would be permitted/i);
    return this.#client.call(tool.name, this.#fill(tool, [[/name of the tool/i, call.tool], [/arguments of that call/i, call.args]]));
  }

  /** Asks for permission with the tool that a refusal names. Returns the result and what it understood to be the id. */
  async request(refusal: Result, wish: Wish): Promise<{ result: Result; id: string }> {
    const tool = this.#named(text(refusal));
    const result = await this.#client.call(
      tool.name,
      this.#fill(tool, [
        [/name of the tool/i, wish.tool],
        [/arguments of that call/i, wish.args],
        [/^why /i, wish.why],
        [/how long the permission/i, wish.duration],
        [/how many calls/i, wish.uses],
        [/below one folder/i, (description: string) => this.#asInTheExample(description, wish.folder)],
      ]),
    );
    const id = /Request `([^`]+)`/.exec(text(result))?.[1];
    if (id === undefined) throw new Error(`no id in: ${text(result)}`);
    return { result, id };
  }

  /** Waits with the tool that waits, until the answer does not say pending, or the model's patience is over. */
  async wait(id: string, patience = 4): Promise<Result> {
    const tool = this.#describedAs(/waits until a person has decided/i);
    const args = this.#fill(tool, [[/^the id/i, id], [/how long to wait/i, 20]]);
    let result = await this.#client.call(tool.name, args);
    for (let turn = 1; turn < patience && text(result).includes("is pending"); turn += 1) {
      result = await this.#client.call(tool.name, args);
    }
    return result;
  }

  async close(): Promise<void> {
    await this.#client.close();
  }

  /** The first tool of the list that a sentence names, in the order of the sentence. */
  #named(sentence: string): Tool {
    const words = sentence.split(/[^a-z0-9_]+/i);
    const known = words.map((word) => this.#tools.find((tool) => tool.name === word && word.startsWith("proviso_")));
    const tool = known.find((tool) => tool !== undefined);
    if (tool === undefined) throw new Error(`names no tool of the list: ${sentence}`);
    return tool;
  }

  #describedAs(words: RegExp): Tool {
    const tool = this.#tools.find((tool) => words.test(tool.description ?? ""));
    if (tool === undefined) throw new Error(`no tool of the list says ${words}`);
    return tool;
  }

  /** Fills the members whose descriptions fit; one that is required and that it does not understand is an error. */
  #fill(tool: Tool, means: [RegExp, unknown][]): Record<string, unknown> {
    const args: Record<string, unknown> = {};
    for (const [name, { description = "" }] of Object.entries(tool.inputSchema.properties ?? {})) {
      const value = means.find(([words]) => words.test(description))?.[1];
      if (value !== undefined) args[name] = typeof value === "function" ? value(description) : value;
    }
    const missing = tool.inputSchema.required?.filter((name) => !(name in args)) ?? [];
    if (missing.length > 0) throw new Error(`${tool.name}: what are ${missing.join(", ")}?`);
    return args;
  }

  /** Takes the example out of a description, and puts its own folder where the example has one. */
  #asInTheExample(description: string, folder: string): unknown {
    const example = /\[\{.*\}\]/.exec(description)?.[0];
    if (example === undefined) throw new Error(`no example in: ${description}`);
    return JSON.parse(example.replace(/"path": "[^"]*"/, `"path": ${JSON.stringify(folder)}`));
  }
}

/** What a model reads of a result: its text. */
export function text(result: Result): string {
  return result.content.map((part) => part.text ?? "").join("\n");
}
