// Every token that a real Better Auth server makes, at every release, against task-service in
// every mode of TOKEN_VERIFIER: is it an access token there? TASK_SERVICE names the binary,
// which must have the feature `jwks`.
import { createHmac } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { RELEASES, version } from "./releases.mjs";
import { SECRET, SITE, startTasks, startTokenServer } from "./servers.mjs";

const FOREIGN = "Kq7vT2nYx9cLw4rBz6hJm3fGd8sPa5eUoXi1RjVb";
const MODES = ["hs256", "hs256, open", "session-cache", "jwks by address", "jwks as text"];
const PUBLISHED = ["jwks by address", "jwks as text"];
/** The rows: a token's name, and the modes in which it is an access token. All else refuses. */
const ROWS = {
  "session token": [],
  "session token, signed": [],
  "jwt() by default, EdDSA": PUBLISHED,
  "jwt() with ES256": PUBLISHED,
  "jwt() with RS256": PUBLISHED,
  "jwt() with its own sign, HS256": ["hs256", "hs256, open"],
  'cookie cache "jwt"': ["session-cache"],
  'cookie cache "compact"': [],
  'cookie cache "jwe"': [],
  "cookie cache with a published key": [],
  "e-mail verification": [],
  "e-mail change": [],
  "EdDSA, expired": [],
  "HS256, expired": [],
  "HS256, foreign secret": [],
  'cookie cache "jwt", foreign secret': [],
  "EdDSA, foreign key under a known name": [],
  "EdDSA, unknown key": [],
  "alg none, without a signature": [],
  "alg none, with the old signature": [],
  "HS256 under the public key": [],
  "EdDSA, for another user": [],
};

/** Signs up; the user and everything that came with the answers. */
async function signUp(server) {
  const headers = { "content-type": "application/json", origin: SITE };
  const email = "ada@example.com";
  const body = JSON.stringify({ name: "Ada", email, password: "tulips and rain 42" });
  const answer = await fetch(`${server.url}/api/auth/sign-up/email`, { method: "POST", headers, body });
  if (answer.status !== 200) throw new Error(`sign-up: ${answer.status} ${await answer.text()}`);
  const { token, user } = await answer.json();
  const jar = answer.headers.getSetCookie().map((cookie) => cookie.split(";")[0]);
  const cache = jar.find((cookie) => cookie.includes("session_data="));
  const session = { ...headers, authorization: `Bearer ${token}` };
  const change = await fetch(`${server.url}/api/auth/change-email`, {
    method: "POST",
    headers: session,
    body: JSON.stringify({ newEmail: "countess@example.com" }),
  });
  if (change.status !== 200) throw new Error(`change-email: ${change.status} ${await change.text()}`);
  const jwt = await fetch(`${server.url}/api/auth/token`, { headers: session });
  return {
    user: user.id,
    token,
    signed: answer.headers.get("set-auth-token"),
    cache: decodeURIComponent(cache.slice(cache.indexOf("=") + 1)),
    jwt: (await jwt.json()).token,
    mails: await mails(server),
    server,
  };
}

/** The tokens of the two mails, in the order they were sent. */
async function mails(server) {
  for (let i = 0; i < 100; i += 1) {
    const sent = server.lines.flatMap((line) => line.match(/^mail verification (\S+)$/)?.[1] ?? []);
    if (sent.length > 1) return sent;
    await sleep(50);
  }
  throw new Error("no mail was sent");
}

async function documentOf(server) {
  const answer = await fetch(`${server.url}/api/auth/jwks`);
  return answer.status === 200 ? await answer.text() : undefined;
}

const decode = (text) => JSON.parse(Buffer.from(text, "base64url").toString());
const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** Each row's token, its user and the account of the server whose keys are configured. */
async function tokens(accounts) {
  const { eddsa, es256, rs256, hs256 } = accounts;
  const [header, payload, signature] = eddsa.jwt.split(".");
  const [verification, change] = eddsa.mails;
  const key = JSON.parse(await documentOf(eddsa.server)).keys[0];
  const hmac = `${encode({ alg: "HS256", kid: key.kid })}.${payload}`;
  const tag = createHmac("sha256", Buffer.from(key.x, "base64url")).update(hmac).digest("base64url");
  const foreign = accounts["foreign eddsa"].jwt.split(".");
  const renamed = `${header}.${foreign[1]}.${foreign[2]}`;
  const bob = encode({ ...decode(payload), sub: "bob", id: "bob" });
  const rows = {
    "session token": [eddsa, eddsa.token],
    "session token, signed": [eddsa, eddsa.signed],
    "jwt() by default, EdDSA": [eddsa, eddsa.jwt],
    "jwt() with ES256": [es256, es256.jwt],
    "jwt() with RS256": [rs256, rs256.jwt],
    "jwt() with its own sign, HS256": [hs256, hs256.jwt],
    'cookie cache "jwt"': [eddsa, eddsa.cache],
    'cookie cache "compact"': [es256, es256.cache],
    'cookie cache "jwe"': [rs256, rs256.cache],
    "e-mail verification": [eddsa, verification],
    "e-mail change": [eddsa, change],
    "EdDSA, expired": [accounts["eddsa, expired"], accounts["eddsa, expired"].jwt],
    "HS256, expired": [accounts["hs256, expired"], accounts["hs256, expired"].jwt],
    "HS256, foreign secret": [accounts["foreign hs256"], accounts["foreign hs256"].jwt],
    'cookie cache "jwt", foreign secret': [accounts["foreign eddsa"], accounts["foreign eddsa"].cache, eddsa],
    "EdDSA, foreign key under a known name": [accounts["foreign eddsa"], renamed, eddsa],
    "EdDSA, unknown key": [accounts["foreign eddsa"], accounts["foreign eddsa"].jwt, eddsa],
    "alg none, without a signature": [eddsa, `${encode({ alg: "none" })}.${payload}.`],
    "alg none, with the old signature": [eddsa, `${encode({ alg: "none" })}.${payload}.${signature}`],
    "HS256 under the public key": [eddsa, `${hmac}.${tag}`],
    "EdDSA, for another user": [{ ...eddsa, user: "bob" }, `${header}.${bob}.${signature}`],
  };
  const published = accounts["cache with a published key"];
  if (published) rows["cookie cache with a published key"] = [published, published.cache];
  return rows;
}

const settings = {
  hs256: () => ({ TOKEN_VERIFIER: "hs256", BETTER_AUTH_SECRET: SECRET, BETTER_AUTH_URL: SITE }),
  // Neither issuer nor audience is checked: what then keeps the others out is what they say.
  "hs256, open": () => ({
    TOKEN_VERIFIER: "hs256",
    BETTER_AUTH_SECRET: SECRET,
    JWT_ISSUER: "off",
    JWT_AUDIENCE: "off",
  }),
  "session-cache": () => ({ TOKEN_VERIFIER: "session-cache", BETTER_AUTH_SECRET: SECRET }),
  // No secret: who only verifies needs none.
  "jwks by address": ({ url }) => ({
    TOKEN_VERIFIER: "jwks",
    JWKS_URL: `${url}/api/auth/jwks`,
    BETTER_AUTH_URL: SITE,
  }),
  "jwks as text": ({ text }) => ({ TOKEN_VERIFIER: "jwks", JWKS: text, BETTER_AUTH_URL: SITE }),
};

async function run(release, faults) {
  const ways = ["eddsa", "es256", "rs256", "hs256", "eddsa, expired", "hs256, expired"];
  if (release === "1.7") ways.push("cache with a published key");
  const started = [];
  const keep = async (starting) => {
    const server = await starting;
    started.push(server);
    return server;
  };
  const tasks = new Map();
  /** The task-service in this mode, with the keys of this account's server. */
  const tasksOf = async (mode, account, fallback) => {
    const published = mode.startsWith("jwks") && ((await documentOf(account.server)) ? account : fallback);
    const name = `${mode} ${published ? published.server.url : ""}`;
    if (!tasks.has(name)) {
      const text = published && (await documentOf(published.server));
      tasks.set(name, await keep(startTasks(settings[mode]({ url: published?.server?.url, text }))));
    }
    return tasks.get(name);
  };
  try {
    const accounts = {};
    for (const makes of ways) {
      accounts[makes] = await signUp(await keep(startTokenServer({ release, makes })));
    }
    for (const makes of ["eddsa", "hs256"]) {
      const server = await keep(startTokenServer({ release, makes, secret: FOREIGN }));
      accounts[`foreign ${makes}`] = await signUp(server);
    }
    const made = await tokens(accounts);
    const verdicts = {};
    for (const [row, right] of Object.entries(ROWS)) {
      verdicts[row] = {};
      for (const mode of MODES) {
        if (!made[row]) {
          verdicts[row][mode] = "-";
          continue;
        }
        const [account, token, keysOf = account] = made[row];
        const { url } = await tasksOf(mode, keysOf, accounts.eddsa);
        const answer = await fetch(`${url}/api/${account.user}/tasks`, {
          headers: { authorization: `Bearer ${token}` },
        });
        const expected = right.includes(mode) ? 200 : 401;
        verdicts[row][mode] = String(answer.status);
        await answer.text();
        if (answer.status !== expected) {
          faults.push(`${version(release)}, ${row}, ${mode}: ${answer.status}, not ${expected}`);
        }
      }
    }
    for (const server of tasks.values()) {
      const log = server.lines.join("\n");
      const secrets = Object.values(made).flatMap(([account, token]) => [token, account.token]);
      if (secrets.some((secret) => log.includes(secret))) faults.push(`${release}: a token is logged`);
      if (/ERROR|panicked/.test(log)) faults.push(`${release}: task-service logged a fault:\n${log}`);
    }
    return verdicts;
  } finally {
    await Promise.all(started.map((server) => server.stop()));
  }
}

const faults = [];
const table = [["token", "Better Auth", ...MODES]];
const all = {};
for (const release of RELEASES) all[release] = await run(release, faults);
for (const row of Object.keys(ROWS)) {
  for (const release of RELEASES) {
    table.push([row, version(release), ...MODES.map((mode) => all[release][row][mode])]);
  }
}
const widths = table[0].map((_, i) => Math.max(...table.map((cells) => cells[i].length)));
for (const cells of table) console.log(cells.map((c, i) => c.padEnd(widths[i])).join("  ").trimEnd());
for (const fault of faults) console.error(`FAILED ${fault}`);
if (faults.length) process.exitCode = 1;
