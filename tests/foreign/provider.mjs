// An identity provider (OpenID Connect) of another stack: node-oidc-provider, with a sign-in page that takes any name.
//   node provider.mjs PORT REDIRECT_URI...
// Prints "ready". A name `vendor:NAME` is of a client's people: its claim `hocba_client` is NAME.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
// NODE_PATH is for require alone; what it finds is imported by its address.
const { default: Provider } = await import(pathToFileURL(createRequire(import.meta.url).resolve("oidc-provider")));

const [port, ...redirects] = process.argv.slice(2);
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [{ client_id: "hub", client_secret: "provider-secret", redirect_uris: redirects }],
  claims: { profile: ["preferred_username", "hocba_client"] },
  conformIdTokenClaims: false,
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({
      sub: id,
      preferred_username: id,
      ...(id.startsWith("vendor:") ? { hocba_client: id.slice(7) } : {}),
    }),
  }),
});
provider.listen(Number(port), "127.0.0.1", () => console.log("ready"));
