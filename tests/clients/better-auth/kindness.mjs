// One thing that only this project does: its server answers the unmodified bearer client on
// Node, whose `fetch` sends fetch metadata but no origin. Better Auth answers 403.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { clients } from "./client.mjs";
import { PASSWORD } from "./scenarios.mjs";

async function signUpWithoutOrigin(release, url) {
  const client = (await clients({ release, mode: "bearer", url, origin: null }))();
  const email = `kind-${randomBytes(6).toString("hex")}@example.com`;
  const signedUp = await client.signUp.email({ name: "Ada", email, password: PASSWORD });
  if (signedUp.error) return signedUp.error;
  const { data } = await client.getSession();
  assert.equal(data.user.email, email);
  assert.equal((await client.signOut()).data.success, true);
  assert.equal((await client.signIn.email({ email, password: PASSWORD })).error, null);
  assert.equal((await client.deleteUser({ password: PASSWORD })).data.success, true);
  return null;
}

/** Returns a fault, or nothing if the server is kind. */
export async function kindness(release, url) {
  try {
    const refusal = await signUpWithoutOrigin(release, url);
    return refusal ? `refused: ${refusal.status} ${refusal.code}` : undefined;
  } catch (fault) {
    return fault.message;
  }
}
