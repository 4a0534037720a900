// An enforcement point that speaks HTTP and nothing else: it asks for an agent, is refused, and asks for permission.
import { AGENT } from "./asked.ts";
import type { Gate } from "./gate.ts";

/** One call of a tool. */
export interface ToolCall {
  server: string;
  action: string;
  resource: { type: string; id: string };
  input: Record<string, unknown>;
}

/** Journals are posted by two people of finance. */
export const POST_JOURNAL: ToolCall = { server: "ledger", action: "post_journal", resource: { type: "Dataset", id: "finance/sandbox" }, input: { rows: 5 } };

/** How an agent shows who it is: by a credential of its own, or by the word of a point that may vouch. */
export type Shown = { token: string } | { word: { task: string; for: string } };

export class Point {
  readonly #gate: Gate;
  readonly #own: string;
  readonly #subject: string;

  /** A point of this name for an agent's calls on a server. */
  constructor(gate: Gate, name: string, server: string, { vouches = false, subject = AGENT.subject } = {}) {
    this.#gate = gate;
    this.#subject = subject;
    const more = vouches ? ["--vouches"] : [];
    this.#own = gate.run("token", "enforcement-point", "--name", name, "--subjects", subject, "--servers", server, ...more);
  }

  /** A credential for the agent in one task, for ines. */
  token(task: string): Shown {
    return { token: this.#gate.run("token", "agent", "--subject", this.#subject, "--task", task, "--for", AGENT.person) };
  }

  /** Has the call evaluated. */
  async evaluate(call: ToolCall, shown: Shown): Promise<{ decision: boolean; context: Record<string, any> }> {
    return this.#send("/access/v1/evaluation", this.#asked(call), shown);
  }

  /** Has the call refused, and asks for permission for exactly that, or for three calls on every path inside a folder; the id of the request. */
  async request(call: ToolCall, shown: Shown, why: string, folder?: string): Promise<string> {
    const { context } = await this.evaluate(call, shown);
    const asked = this.#asked(call);
    const offered = context["access_request"].display.scope;
    const wider = { ...offered, max_uses: 3, arguments: [{ at: ["path"], op: "inside", path: folder }] };
    const made = await this.#send(
      "/access/v1/requests",
      {
        ...asked,
        context: { ...asked.context, business_justification: why },
        denial: { evaluation_id: context["evaluation_id"], expires_at: context["access_request"].expires_at },
        ...(folder !== undefined && { requested_access: { "proviso.dev/scope": wider } }),
      },
      shown,
    );
    return made.task.id;
  }

  #asked({ server, action, resource, input }: ToolCall) {
    const [type, ...id] = this.#subject.split("::");
    return { subject: { type, id: id.join("::") }, action: { name: action }, resource, context: { input, "proviso.dev/server": server } };
  }

  async #send(path: string, body: object, shown: Shown): Promise<any> {
    const [type, ...id] = this.#subject.split("::");
    const headers: Record<string, string> = { authorization: `Bearer ${this.#own}`, "content-type": "application/json" };
    if ("token" in shown) headers["proviso-subject-token"] = shown.token;
    else headers["proviso-vouched"] = JSON.stringify({ subject: { type, id: id.join("::") }, ...shown.word });
    const answer = await fetch(this.#gate.url + path, { method: "POST", headers, body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  }
}
