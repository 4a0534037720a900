// Two MCP clients of other authors, unmodified, behind what a model sees of either: tools, and results of calls.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";

import { PYTHON, PYTHON_CLIENT } from "./places.ts";

export interface Tool {
  name: string;
  description?: string;
  inputSchema: { properties?: Record<string, { description?: string }>; required?: string[] };
}

export interface Result {
  content: { type: string; text?: string }[];
  structuredContent?: Record<string, unknown>;
  isError?: boolean;
  _meta?: Record<string, unknown>;
}

export interface McpClient {
  tools(): Promise<Tool[]>;
  call(name: string, args: Record<string, unknown>): Promise<Result>;
  close(): Promise<void>;
}

/** How to start the MCP server that a client talks to. */
export interface Server {
  command: string;
  args: string[];
  env: Record<string, string>;
}

export const CLIENTS: Record<string, (server: Server) => Promise<McpClient>> = { node: nodeClient, python: pythonClient };

async function nodeClient(server: Server): Promise<McpClient> {
  const client = new Client({ name: "story", version: "1.0.0" });
  await client.connect(new StdioClientTransport({ ...server, stderr: "inherit" }));
  return {
    tools: async () => (await client.listTools()).tools as Tool[],
    call: async (name, args) => (await client.callTool({ name, arguments: args })) as Result,
    close: () => client.close(),
  };
}

async function pythonClient(server: Server): Promise<McpClient> {
  const child = spawn(PYTHON, [PYTHON_CLIENT, server.command, ...server.args], {
    env: { ...process.env, ...server.env },
    stdio: ["pipe", "pipe", "inherit"],
  });
  const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const ready = new Promise<void>((resolve, reject) => {
    child.once("error", reject);
    void ended.then(() => {
      const error = new Error("the Python client ended");
      reject(error);
      for (const { reject } of waiting.values()) reject(error);
    });
    createInterface({ input: child.stdout }).on("line", (line) => {
      const reply = JSON.parse(line) as { ready?: boolean; id: number; result?: unknown; error?: string };
      if (reply.ready) return resolve();
      const asked = waiting.get(reply.id);
      waiting.delete(reply.id);
      if (reply.error === undefined) asked?.resolve(reply.result);
      else asked?.reject(new Error(reply.error));
    });
  });
  await ready;
  let last = 0;
  const ask = <T>(what: object) =>
    new Promise<T>((resolve, reject) => {
      last += 1;
      waiting.set(last, { resolve: resolve as (value: unknown) => void, reject });
      child.stdin.write(`${JSON.stringify({ id: last, ...what })}\n`);
    });
  return {
    tools: () => ask<Tool[]>({ do: "list" }),
    call: (name, args) => ask<Result>({ do: "call", name, arguments: args }),
    close: async () => {
      child.stdin.end();
      await ended;
    },
  };
}
