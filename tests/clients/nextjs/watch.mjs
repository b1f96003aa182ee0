// Watches through the example's rewrites, asking for compressed answers as browsers do. Needs
// ORIGIN, where it is served.
import assert from "node:assert/strict";
import http from "node:http";

const origin = process.env.ORIGIN;
const patience = 5_000;
/** The longest until an event is here, from its change; the median of several counts. They take
 * some tens of milliseconds; from a buffer that has to fill they would come seconds later. */
const soon = 1_000;
const changes = 11;

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

/** The event of the task with this title. */
const event = (title) =>
  new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`no event of ${title} in ${patience} ms`)), patience);
    let heard = "";
    stream.on("data", function listen(piece) {
      heard += piece;
      if (!new RegExp(`event: changed\\n.*\\n?data: .*${title}`).test(heard)) return;
      clearTimeout(late);
      stream.off("data", listen);
      resolve();
    });
  });
stream.setEncoding("utf8").on("error", (fault) => assert.fail(fault));
const times = [];
for (let number = 0; number < changes; number += 1) {
  const title = `Light lamp ${number}.`;
  const heard = event(title);
  const began = performance.now();
  const made = await ask("POST", tasks, { headers: { ...json, ...bearer }, body: { title } });
  made.resume();
  assert.equal(made.statusCode, 201);
  await heard;
  times.push(performance.now() - began);
}
const [middle, most] = [times.sort((a, b) => a - b)[changes >> 1], times.at(-1)].map(Math.round);
console.log(`   events came through the rewrite after ${middle} ms (median), ${most} ms (longest)`);
assert.ok(middle <= soon, `an event takes ${middle} ms`);
stream.destroy();

const exported = await ask("GET", `${tasks}/export`, { headers: bearer });
assert.equal(exported.statusCode, 200);
assert.equal(exported.headers["content-encoding"], undefined, "neither is the export");
exported.resume();
