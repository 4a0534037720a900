// Stands between a client and a server and writes down every line of both, as it came.
// usage: tee.mjs FILE COMMAND ARGUMENT…
import { spawn } from "node:child_process";
import { appendFileSync } from "node:fs";

const [file, command, ...args] = process.argv.slice(2);
const child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });

function pass(from, to, side) {
  let rest = Buffer.alloc(0);
  from.on("data", (data) => {
    rest = Buffer.concat([rest, data]);
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      appendFileSync(file, `${JSON.stringify({ side, line: rest.subarray(0, end).toString("utf8") })}\n`);
      to.write(rest.subarray(0, end + 1));
      rest = rest.subarray(end + 1);
    }
  });
  from.on("end", () => to.end());
}

pass(process.stdin, child.stdin, "client");
pass(child.stdout, process.stdout, "server");
child.on("exit", (code) => process.exit(code ?? 1));
