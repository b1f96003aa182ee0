// What a person does with an account, in order; each step builds on those before it. The
// same steps and assertions for every server.
import assert from "node:assert/strict";

export const PASSWORD = "tulips and rain 42";
const CHANGED = "daisies and fog 43";

/** Fails unless the call was answered well; returns what it answered. */
function good({ data, error }) {
  assert.equal(error, null, `refused: ${JSON.stringify(error)}`);
  return data;
}

/** Fails unless the call was refused with this status (and code). */
function refused({ data, error }, status, code) {
  assert.equal(data, null, `answered: ${JSON.stringify(data)}`);
  assert.equal(error.status, status);
  if (code) assert.equal(error.code, code);
}

/** `here` and `there` are two devices of a user, `signedOut` is a third that never signs in. */
export function scenarios({ here, there, signedOut, email }) {
  const seen = {};
  const signIn = (client, password) => client.signIn.email({ email, password });
  const session = async (client) => good(await client.getSession());

  return {
    "sign up": async () => {
      const answer = good(await here.signUp.email({ name: "Ada Lovelace", email, password: PASSWORD }));
      seen.user = answer.user;
      seen.token = answer.token;
      assert.match(answer.token, /^[A-Za-z0-9]{32}$/);
      assert.equal(answer.user.email, email.toLowerCase());
      assert.equal(answer.user.name, "Ada Lovelace");
      assert.equal(answer.user.emailVerified, false);
      assert.equal(answer.user.image, null);
    },
    "get session": async () => {
      const answer = await session(here);
      assert.equal(answer.user.id, seen.user.id);
      assert.equal(answer.session.userId, seen.user.id);
      assert.equal(answer.session.token, seen.token);
      for (const date of [
        answer.session.expiresAt,
        answer.session.createdAt,
        answer.session.updatedAt,
        answer.user.createdAt,
        answer.user.updatedAt,
      ]) {
        assert.ok(date instanceof Date, `no date: ${date}`);
      }
      const days = (answer.session.expiresAt - Date.now()) / 86_400_000;
      assert.ok(days > 6.9 && days <= 7.01, `lives for ${days} days`);
    },
    "a taken address is refused": async () => {
      const answer = await signedOut.signUp.email({ name: "Eve", email, password: PASSWORD });
      refused(answer, 422, "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL");
    },
    "a wrong password is refused": async () => {
      refused(await signIn(signedOut, "tulips and snow 42"), 401, "INVALID_EMAIL_OR_PASSWORD");
    },
    "without credentials there is no session": async () => {
      assert.equal(await session(signedOut), null);
    },
    "a second session": async () => {
      const answer = good(await signIn(there, PASSWORD));
      assert.notEqual(answer.token, seen.token);
      assert.equal((await session(there)).session.token, answer.token);
      assert.equal((await session(here)).session.token, seen.token);
      seen.other = answer.token;
    },
    token: async () => {
      const { token } = good(await here.token());
      const segments = token.split(".");
      assert.equal(segments.length, 3);
      const claims = JSON.parse(Buffer.from(segments[1], "base64url"));
      assert.equal(claims.sub, seen.user.id);
      assert.equal(claims.email, email.toLowerCase());
      assert.ok(claims.exp * 1000 > Date.now());
      refused(await signedOut.token(), 401);
    },
    jwks: async () => {
      const { keys } = good(await signedOut.jwks());
      assert.ok(Array.isArray(keys));
    },
    "update the user": async () => {
      const image = "https://example.com/ada.png";
      assert.equal(good(await here.updateUser({ name: "Ada L.", image })).status, true);
      const { user } = await session(here);
      assert.equal(user.name, "Ada L.");
      assert.equal(user.image, image);
      assert.equal((await session(there)).user.name, "Ada L.");
      refused(await signedOut.updateUser({ name: "Eve" }), 401);
    },
    "list the sessions": async () => {
      const sessions = good(await here.listSessions());
      assert.equal(sessions.length, 2);
      assert.equal(new Set(sessions.map(({ id }) => id)).size, 2);
      // Only the token of this session is said to be the one that opens it.
      assert.equal(sessions.filter(({ token }) => token === seen.token).length, 1);
      seen.listed = sessions.find(({ token }) => token !== seen.token);
      assert.ok(seen.listed.expiresAt instanceof Date);
      refused(await signedOut.listSessions(), 401);
    },
    "revoke the other session": async () => {
      assert.equal(good(await here.revokeSession({ token: seen.listed.token })).status, true);
      assert.equal(await session(there), null);
      assert.equal((await session(here)).session.token, seen.token);
      assert.equal(good(await here.listSessions()).length, 1);
    },
    "change the password and revoke the others": async () => {
      good(await signIn(there, PASSWORD));
      const change = { currentPassword: PASSWORD, newPassword: CHANGED, revokeOtherSessions: true };
      refused(await here.changePassword({ ...change, currentPassword: CHANGED }), 400, "INVALID_PASSWORD");
      const { token } = good(await here.changePassword(change));
      assert.match(token, /^[A-Za-z0-9]{32}$/);
      assert.notEqual(token, seen.token);
      assert.equal((await session(here)).session.token, token);
      assert.equal(await session(there), null);
      refused(await signIn(signedOut, PASSWORD), 401, "INVALID_EMAIL_OR_PASSWORD");
    },
    "revoke the other sessions": async () => {
      good(await signIn(there, CHANGED));
      assert.notEqual(await session(there), null);
      assert.equal(good(await here.revokeOtherSessions()).status, true);
      assert.equal(await session(there), null);
      assert.notEqual(await session(here), null);
    },
    "sign out": async () => {
      assert.equal(good(await here.signOut()).success, true);
      assert.equal(await session(here), null);
      refused(await here.listSessions(), 401);
    },
    "sign in again and delete the user": async () => {
      good(await signIn(here, CHANGED));
      refused(await here.deleteUser({ password: PASSWORD }), 400, "INVALID_PASSWORD");
      assert.equal(good(await here.deleteUser({ password: CHANGED })).success, true);
      assert.equal(await session(here), null);
      refused(await signIn(here, CHANGED), 401, "INVALID_EMAIL_OR_PASSWORD");
    },
  };
}
