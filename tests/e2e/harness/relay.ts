// A network between an enforcement point and the gate that can lose the reports of what ran.
import { createServer, request as send } from "node:http";
import type { AddressInfo } from "node:net";

export interface Relay {
  url: string;
  /** From now on no report arrives. */
  loseReports: () => void;
  stop: () => Promise<void>;
}

/** Passes everything on to the gate at `url`. */
export async function relay(url: string): Promise<Relay> {
  const { hostname, port, host } = new URL(url);
  let loses = false;
  const between = createServer((asked, answer) => {
    if (loses && asked.url === "/api/v1/executions") {
      asked.socket.destroy();
      return;
    }
    const headers = { ...asked.headers, host };
    const onward = send({ hostname, port, method: asked.method, path: asked.url, headers }, (answered) => {
      answer.writeHead(answered.statusCode ?? 502, answered.headers);
      answered.pipe(answer);
    });
    onward.once("error", () => answer.destroy());
    asked.pipe(onward);
  });
  await new Promise<void>((done) => between.listen(0, "127.0.0.1", done));
  return {
    url: `http://127.0.0.1:${(between.address() as AddressInfo).port}`,
    loseReports: () => void (loses = true),
    stop: () =>
      new Promise((done) => {
        between.close(() => done());
        between.closeAllConnections();
      }),
  };
}
