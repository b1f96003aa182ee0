// A real Better Auth server that makes tokens in one of the ways below:
// `node token-server.mjs` with RELEASE, SECRET, SITE and MAKES in its environment. Prints its
// address when it is ready, and `mail <what> <token>` for what it would have mailed.
import { createHmac } from "node:crypto";
import { createServer } from "node:http";
import { SqliteDialect } from "kysely";
import Database from "libsql";
import { migration, part } from "./releases.mjs";

const { RELEASE, SECRET, SITE, MAKES } = process.env;

/** HS256 by hand, as guides for the plugin's `sign` do it. */
function hs256(payload) {
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const message = `${encode({ alg: "HS256", typ: "JWT" })}.${encode(payload)}`;
  return `${message}.${createHmac("sha256", SECRET).update(message).digest("base64url")}`;
}

const customSign = {
  // Both mandatory beside `sign`, neither used.
  jwks: { remoteUrl: `${SITE}/unused`, keyPairConfig: { alg: "EdDSA" } },
};

/** The options of the plugin `jwt()`, and the strategy of the cookie cache. */
const WAYS = {
  eddsa: { jwt: {}, cache: "jwt" },
  es256: { jwt: { jwks: { keyPairConfig: { alg: "ES256" } } }, cache: "compact" },
  rs256: { jwt: { jwks: { keyPairConfig: { alg: "RS256" } } }, cache: "jwe" },
  hs256: { jwt: { ...customSign, jwt: { sign: hs256 } }, cache: "compact" },
  "cache with a published key": { jwt: { sessionCookieCache: true }, cache: "jwt" },
  // A number is a point in time, here in 1970.
  "eddsa, expired": { jwt: { jwt: { expirationTime: 900 } }, cache: "compact" },
  "hs256, expired": {
    jwt: { ...customSign, jwt: { sign: (claims) => hs256({ ...claims, exp: claims.iat - 60 }) } },
    cache: "compact",
  },
};

const database = new Database(":memory:");
const mail = (what) => async ({ url, token }) => {
  console.log(`mail ${what} ${token ?? new URL(url).searchParams.get("token")}`);
};
const server = createServer();
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const [{ betterAuth }, { bearer, jwt }, { toNodeHandler }, { getMigrations }] = await Promise.all([
  part(RELEASE),
  part(RELEASE, "plugins"),
  part(RELEASE, "node"),
  migration(RELEASE),
]);
const way = WAYS[MAKES];
const auth = betterAuth({
  secret: SECRET,
  baseURL: SITE,
  database: { dialect: new SqliteDialect({ database }), type: "sqlite" },
  emailAndPassword: { enabled: true },
  emailVerification: { sendOnSignUp: true, sendVerificationEmail: mail("verification") },
  user: { changeEmail: { enabled: true } },
  session: { cookieCache: { enabled: true, strategy: way.cache } },
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
  plugins: [bearer(), jwt(way.jwt)],
});
await (await getMigrations(auth.options)).runMigrations();
server.on("request", toNodeHandler(auth));

process.on("SIGTERM", () => process.exit(0));
console.log(`http://127.0.0.1:${server.address().port}`);
