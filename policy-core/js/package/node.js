// Node reads its part of the glue from disk, at once.
export { PolicyModule } from "./node/policy_js.cjs";
