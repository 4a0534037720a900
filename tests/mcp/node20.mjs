// The conformance suite wants `fs.globSync`, which Node 20 lacks, for a command of its own that is not run here.
// usage: node --import node20.mjs …/conformance/dist/index.js
import { register } from "node:module";
const shim = "export * from 'node:fs'; export { default } from 'node:fs'; export const globSync = () => [];";
const hooks = `export async function resolve(specifier, context, next) {
  const ours = specifier === "fs" && context.parentURL?.includes("/@modelcontextprotocol/conformance/");
  return ours ? { url: ${JSON.stringify("data:text/javascript," + encodeURIComponent(shim))}, shortCircuit: true } : next(specifier, context);
}`;
register("data:text/javascript," + encodeURIComponent(hooks));
