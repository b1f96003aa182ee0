// What must hold while two servers use one database: an account or a session of either is
// one of the other. `made` is the server that makes it, `used` the one that uses it.
import assert from "node:assert/strict";
import { createHmac, randomBytes } from "node:crypto";
import { SECRET, SITE } from "./servers.mjs";

const PASSWORD = "tulips and rain 42";
const CHANGED = "daisies and fog 43";

async function call(server, path, { body, headers } = {}) {
  const response = await fetch(`${server.url}/api/auth${path}`, {
    method: body ? "POST" : "GET",
    headers: { ...(body && { "content-type": "application/json" }), origin: SITE, ...headers },
    body: body && JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, json: text ? JSON.parse(text) : undefined };
}

async function good(...request) {
  const { status, json } = await call(...request);
  assert.equal(status, 200, JSON.stringify(json));
  return json;
}

const bearer = (token) => ({ headers: { authorization: `Bearer ${token}` } });
const session = (server, credential) => good(server, "/get-session", credential);
const signIn = (server, email, password) => call(server, "/sign-in/email", { body: { email, password } });

function signed(token) {
  return `${token}.${createHmac("sha256", SECRET).update(token).digest("base64")}`;
}

/** Every way to present a session's token to this server. */
function credentials(server, token) {
  const handedOut = encodeURIComponent(signed(token));
  const cookie = `better-auth.session_token=${handedOut}`;
  return {
    "a raw bearer": bearer(token),
    "a signed bearer": bearer(handedOut),
    // A bearer of 1.4 is not told apart from a cookie.
    ...(server.release !== "1.4" && { "a decoded signed bearer": bearer(signed(token)) }),
    "a signed cookie": { headers: { cookie } },
  };
}

/** Makes an account, whose first session goes on. */
export async function begin(made) {
  const email = `ada-${randomBytes(6).toString("hex")}@example.com`;
  const account = { name: "Ada Lovelace", email, password: PASSWORD };
  return { account, ...(await good(made, "/sign-up/email", { body: account })) };
}

/** Lives on with an account of `made` on either server, to its end. */
export async function sideBySide(made, used, { account, user, token }) {
  const { email } = account;

  // The account is the other's too: its password, and the address that it takes.
  const there = await signIn(used, email, PASSWORD);
  assert.equal(there.status, 200, JSON.stringify(there.json));
  assert.deepEqual(there.json.user, user);
  assert.equal((await signIn(used, email, "tulips and snow 42")).status, 401);
  assert.equal((await call(used, "/sign-up/email", { body: account })).status, 422);

  // So are the sessions, in every form of the token.
  for (const [server, opened] of [
    [used, token],
    [made, there.json.token],
  ]) {
    for (const [form, credential] of Object.entries(credentials(server, opened))) {
      const answer = await session(server, credential);
      assert.equal(answer?.user.id, user.id, form);
      assert.equal(answer.session.token, opened, form);
    }
  }
  assert.equal((await good(used, "/list-sessions", bearer(token))).length, 2);

  // What either changes, both see.
  await good(used, "/update-user", { body: { name: "Ada L." }, ...bearer(token) });
  assert.equal((await session(made, bearer(token))).user.name, "Ada L.");
  const change = { currentPassword: PASSWORD, newPassword: CHANGED, revokeOtherSessions: true };
  const changed = await good(used, "/change-password", { body: change, ...bearer(there.json.token) });
  assert.equal(await session(made, bearer(token)), null);
  assert.equal(await session(made, bearer(there.json.token)), null);
  assert.equal((await session(made, bearer(changed.token))).user.id, user.id);
  assert.equal((await signIn(made, email, PASSWORD)).status, 401);
  const again = await signIn(made, email, CHANGED);
  assert.equal(again.status, 200);

  // Ended here is ended there.
  await good(used, "/revoke-session", { body: { token: again.json.token }, ...bearer(changed.token) });
  assert.equal(await session(made, bearer(again.json.token)), null);
  await good(used, "/sign-out", { body: {}, ...bearer(changed.token) });
  assert.equal(await session(made, bearer(changed.token)), null);
  const last = await signIn(made, email, CHANGED);
  await good(used, "/delete-user", { body: { password: CHANGED }, ...bearer(last.json.token) });
  assert.equal(await session(made, bearer(last.json.token)), null);
  assert.equal((await signIn(made, email, CHANGED)).status, 401);
}
