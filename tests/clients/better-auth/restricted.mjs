// Whom a real Better Auth server with its plugins admin and twoFactor lets in no more, this
// project's server lets in no more either, on the same database. Needs STANDALONE.
import assert from "node:assert/strict";
import { postgres, postgresAnswers, sqlite } from "./databases.mjs";
import { RELEASES, version } from "./releases.mjs";
import { SITE, startOurs, startReference } from "./servers.mjs";

if (!process.env.STANDALONE) throw new Error("STANDALONE must name the server's binary");

const ADMIN = "root@example.com";
const PASSWORD = "tulips and rain 42";
const WAIT_SECONDS = 20;

async function call(server, path, body, token) {
  const response = await fetch(`${server.url}/api/auth${path}`, {
    method: body ? "POST" : "GET",
    headers: {
      ...(body && { "content-type": "application/json" }),
      ...(token && { authorization: `Bearer ${token}` }),
      origin: SITE,
    },
    body: body && JSON.stringify(body),
  });
  const text = await response.text();
  const given = response.headers.get("set-auth-token");
  return { status: response.status, json: text ? JSON.parse(text) : undefined, given };
}

async function good(...request) {
  const answer = await call(...request);
  assert.equal(answer.status, 200, JSON.stringify(answer.json));
  return answer;
}

const signUp = async (server, email) =>
  (await good(server, "/sign-up/email", { name: "Ada", email, password: PASSWORD })).json;
const signIn = (server, email, password = PASSWORD) => call(server, "/sign-in/email", { email, password });
const session = async (server, token) => (await good(server, "/get-session", undefined, token)).json;

async function until(what, holds) {
  const end = Date.now() + WAIT_SECONDS * 1000;
  while (!(await holds())) {
    assert.ok(Date.now() < end, `${what}: not after ${WAIT_SECONDS} s`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** A ban of the administrator's. */
async function bans(node, ours, { execute }) {
  const root = (await signUp(node, ADMIN)).token;
  const asRoot = (path, body) => good(node, path, body, root);

  // For good: the same words from both, for a client with the password alone.
  const { user, token } = await signUp(node, "banned@example.com");
  assert.equal((await session(ours, token)).user.id, user.id);
  await asRoot("/admin/ban-user", { userId: user.id, banReason: "spam" });
  const [theirs, here] = [await signIn(node, user.email), await signIn(ours, user.email)];
  assert.deepEqual(here, theirs);
  assert.deepEqual([here.status, here.json.code], [403, "BANNED_USER"]);
  assert.equal((await signIn(ours, user.email, "tulips and snow 42")).status, 401);
  assert.equal(await session(ours, token), null);
  assert.equal((await call(ours, "/token", undefined, token)).status, 401);

  // Lifted.
  await asRoot("/admin/unban-user", { userId: user.id });
  const back = await signIn(ours, user.email);
  assert.equal(back.status, 200, JSON.stringify(back.json));

  // By a foreign script, which ends no sessions: none is of use.
  await execute(`UPDATE "user" SET "banned" = TRUE WHERE "email" = '${user.email}'`);
  assert.equal(await session(ours, back.json.token), null);
  const refused = await call(ours, "/token", undefined, back.json.token);
  assert.deepEqual([refused.status, refused.json], [403, theirs.json]);

  // For a time: it lapses by itself, and is gone from the row, as Better Auth does it.
  const brief = (await signUp(node, "brief@example.com")).user;
  await asRoot("/admin/ban-user", { userId: brief.id, banExpiresIn: 2 });
  assert.deepEqual((await signIn(ours, brief.email)).json, theirs.json);
  await until("a ban lapses", async () => (await signIn(ours, brief.email)).status === 200);
  const { users } = (await asRoot("/admin/list-users?limit=100")).json;
  const row = users.find(({ id }) => id === brief.id);
  assert.deepEqual([row.banned, row.banReason ?? null, row.banExpires ?? null], [false, null, null]);
}

/** A second factor that the user has set up. `lenient` goes by the password alone. */
async function secondFactor(node, ours, lenient) {
  const { user, token } = await signUp(node, "careful@example.com");
  assert.equal((await signIn(ours, user.email)).status, 200);
  const enabled = await good(node, "/two-factor/enable", { password: PASSWORD }, token);
  assert.equal((await signIn(node, user.email)).json.twoFactorRedirect, true);
  const here = await signIn(ours, user.email);
  assert.deepEqual([here.status, here.json.code], [403, "TWO_FACTOR_REQUIRED"]);
  assert.equal(here.given, null);
  // A session that the other server opened goes on.
  assert.equal((await session(ours, enabled.given)).user.id, user.id);
  assert.equal((await signIn(lenient, user.email)).status, 200);
  await good(node, "/two-factor/disable", { password: PASSWORD }, enabled.given);
  assert.equal((await signIn(ours, user.email)).status, 200);
}

async function restricted(open, release) {
  const database = await open();
  const running = [];
  const run = async (start) => running[running.push(await start) - 1];
  const settings = { SESSION_TOKENS_AT_REST: "plain" };
  const lenience = { ...settings, TWO_FACTOR_ACCOUNTS: "password-only" };
  try {
    const node = await run(startReference({ release, database: database.node, admin: ADMIN }));
    const ours = await run(startOurs({ database: database.ours, settings }));
    const lenient = await run(startOurs({ database: database.ours, settings: lenience }));
    for (const column of ["banned", "twoFactorEnabled"]) {
      const named = ours.lines.some((line) => line.includes(column) && line.includes("honoured"));
      assert.ok(named, `${column} is not named at start`);
    }
    await bans(node, ours, database);
    await secondFactor(node, ours, lenient);
  } finally {
    for (const server of running) await server.stop();
    await database.remove();
  }
}

const databases = { SQLite: sqlite, ...((await postgresAnswers()) && { PostgreSQL: postgres }) };
console.log(["tables made by".padEnd(24), ...Object.keys(databases)].join("  "));
for (const release of RELEASES) {
  const title = `${version(release)}, admin, twoFactor`;
  const cells = [];
  for (const [name, open] of Object.entries(databases)) {
    try {
      await restricted(open, release);
      cells.push("ok".padEnd(name.length));
    } catch (fault) {
      process.exitCode = 1;
      console.error(`FAILED  ${title}, ${name}: ${fault.stack}`);
      cells.push("FAILED".padEnd(name.length));
    }
  }
  console.log([title.padEnd(24), ...cells].join("  ").trimEnd());
}
