// Watches through the example's rewrites, asking for compressed answers as browsers do. Needs
// ORIGIN, where it is served.
import assert from "node:assert/strict";
import http from "node:http";

const origin = process.env.ORIGIN;
const patience = 5_000;

/** The head of an answer, and its body as it comes. */
function ask(method, path, { headers = {}, body } = {}) {
  return new Promise((resolve, reject) => {
    const request = http.request(origin + path, {
      method,
      headers: { origin, "accept-encoding": "gzip, deflate, br", ...headers },
    });
    request.on("response", resolve).on("error", reject);
    request.end(body && JSON.stringify(body));
  });
}

const json = { "content-type": "application/json" };

const account = { name: "Watcher", email: "watcher@example.com", password: "lamps and tides 42" };
const signedUp = await ask("POST", "/api/auth/sign-up/email", { headers: json, body: account });
signedUp.resume();
assert.equal(signedUp.statusCode, 200);
const token = signedUp.headers["set-auth-jwt"];
const bearer = { authorization: `Bearer ${token}` };
const { sub } = JSON.parse(Buffer.from(token.split(".")[1], "base64url"));
const tasks = `/api/${encodeURIComponent(sub)}/tasks`;

const stream = await ask("GET", `${tasks}/watch`, { headers: bearer });
assert.equal(stream.statusCode, 200);
assert.equal(stream.headers["content-encoding"], undefined, "the stream is not compressed");

const event = new Promise((resolve, reject) => {
  let heard = "";
  const late = setTimeout(() => reject(new Error(`no event in ${patience} ms: ${heard}`)), patience);
  stream.setEncoding("utf8").on("data", (piece) => {
    heard += piece;
    if (!/event: changed\n.*\n?data: .*Light the lamp/.test(heard)) return;
    clearTimeout(late);
    resolve();
  });
  stream.on("end", () => reject(new Error(`the stream ended: ${heard}`))).on("error", reject);
});
const began = performance.now();
const made = await ask("POST", tasks, { headers: { ...json, ...bearer }, body: { title: "Light the lamp" } });
made.resume();
assert.equal(made.statusCode, 201);
await event;
console.log(`   an event came through the rewrite after ${Math.round(performance.now() - began)} ms`);
stream.destroy();

const exported = await ask("GET", `${tasks}/export`, { headers: bearer });
assert.equal(exported.statusCode, 200);
assert.equal(exported.headers["content-encoding"], undefined, "neither is the export");
exported.resume();
