// A browser or worker fetches its part of the glue from beside this file before it lends the class out.
import start from "./web/policy_js.js";

await start();

export { PolicyModule } from "./web/policy_js.js";
