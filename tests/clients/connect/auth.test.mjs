import assert from "node:assert/strict";
import { test } from "node:test";
import { Code } from "@connectrpc/connect";
import { auth, bearer, PASSWORD, sessions, signUp } from "./session.mjs";

test("who signs up has an account and a session", async () => {
  const ada = await signUp("ada");
  assert.equal(ada.user.email, ada.email);
  assert.equal(ada.user.name, "ada");
  const { session, user } = await sessions.getSession({}, ada.session);
  assert.equal(user.id, ada.id);
  assert.equal(session.userId, ada.id);
  assert.equal(session.current, true);
});

test("who signs in again has another session", async () => {
  const ada = await signUp("ada");
  const again = await auth.signIn({ email: ada.email, password: PASSWORD });
  const { sessions: open } = await sessions.listSessions({}, bearer(again.sessionToken));
  assert.equal(open.length, 2);
});

test("a wrong password is refused", async () => {
  const ada = await signUp("ada");
  await assert.rejects(
    auth.signIn({ email: ada.email, password: "tulips and snow 42" }),
    { code: Code.Unauthenticated },
  );
});

test("a taken address is refused", async () => {
  const { email } = await signUp("ada");
  await assert.rejects(auth.signUp({ email, password: PASSWORD, name: "Eve" }), {
    code: Code.AlreadyExists,
  });
});

test("a faulty message is refused", async () => {
  await assert.rejects(auth.signUp({ email: "nobody", password: PASSWORD, name: "" }), {
    code: Code.InvalidArgument,
  });
});

test("who signs out has no session", async () => {
  const ada = await signUp("ada");
  await sessions.signOut({}, ada.session);
  await assert.rejects(sessions.getSession({}, ada.session), { code: Code.Unauthenticated });
});
