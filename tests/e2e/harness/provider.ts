// A provider of OpenID Connect of other authors, unmodified, on loopback: npm's `oidc-provider` with its own pages for
// signing in, where any name is an account.
import { type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";

import Provider from "oidc-provider";

export const CLIENT = { id: "proviso-gate", secret: "a-secret-of-client-and-provider" };

export class Idp {
  readonly issuer: string;
  readonly #server: Server;

  private constructor(issuer: string, server: Server) {
    this.issuer = issuer;
    this.#server = server;
  }

  /** Starts it on a free port, for a gate at `gate` that names it `name`. */
  static async start(gate: string, name: string): Promise<Idp> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const provider = new Provider(issuer, {
      clients: [
        {
          client_id: CLIENT.id,
          client_secret: CLIENT.secret,
          redirect_uris: [`${gate}/sign-in/${name}/callback`],
          post_logout_redirect_uris: [`${gate}/`],
          response_types: ["code"],
          grant_types: ["authorization_code"],
        },
      ],
      pkce: { required: () => true },
      // Everybody there is in one group, which the ID token lists for who asks for it.
      scopes: ["openid", "groups"],
      claims: { openid: ["sub"], groups: ["groups"] },
      conformIdTokenClaims: false,
      findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, groups: ["acme-security"] }) }),
      cookies: { keys: ["a-key-of-the-providers-cookies"] },
    });
    server.on("request", provider.callback());
    return new Idp(issuer, server);
  }

  /** Stops it. */
  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
