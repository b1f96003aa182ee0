// Runs a real Better Auth server and this project's on one database at the same time: every
// release and kind of ids, on each database. Needs STANDALONE. Prints a table.
import assert from "node:assert/strict";
import { postgres, postgresAnswers, sqlite } from "./databases.mjs";
import { NEWEST, RELEASES, version, WITH_ISSUER } from "./releases.mjs";
import { startOurs, startReference } from "./servers.mjs";
import { begin, sideBySide } from "./side-by-side.mjs";

if (!process.env.STANDALONE) throw new Error("STANDALONE must name the server's binary");

/** What `advanced.database.generateId` can say, and the ids that it makes. */
const KINDS = {
  text: { looks: /^[A-Za-z0-9]{32}$/ },
  uuid: { ids: "uuid", looks: /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/ },
  serial: { ids: "serial", looks: /^[1-9][0-9]*$/ },
};

/** Starts both on a new database and lets each use what the other makes. */
async function share(open, { release, kind, oursIsFirst }) {
  const { ids, looks } = KINDS[kind];
  const database = await open();
  const running = [];
  const run = async (start) => running[running.push(await start) - 1];
  const startNode = () => run(startReference({ release, ids, database: database.node }));
  // A Better Auth server looks tokens up as they are.
  const settings = { SESSION_TOKENS_AT_REST: "plain" };
  const startOurServer = () => run(startOurs({ database: database.ours, settings }));
  try {
    const first = oursIsFirst ? await startOurServer() : await startNode();
    // A user from before the other server started.
    const early = await begin(first);
    const second = oursIsFirst ? await startNode() : await startOurServer();
    const late = await begin(second);
    for (const { user } of [early, late]) assert.match(user.id, looks);
    assert.notEqual(early.user.id, late.user.id);
    await sideBySide(first, second, early);
    await sideBySide(second, first, late);
    // The numbers and names of deleted users are free of use.
    const last = await begin(oursIsFirst ? first : second);
    assert.ok(![early.user.id, late.user.id].includes(last.user.id), "an id was given again");
  } finally {
    for (const server of running) await server.stop();
    await database.remove();
  }
}

const databases = { SQLite: sqlite, ...((await postgresAnswers()) && { PostgreSQL: postgres }) };
const cases = [...RELEASES, WITH_ISSUER].flatMap((release) =>
  Object.keys(KINDS).map((kind) => ({ release, kind, title: `${version(release)}, ids ${kind}` })),
);
cases.push({ release: NEWEST, kind: "text", oursIsFirst: true, title: `ours, beside ${version(NEWEST)}` });

console.log(["tables made by".padEnd(24), ...Object.keys(databases)].join("  "));
for (const { title, ...both } of cases) {
  const cells = Object.entries(databases).map(async ([name, open]) => {
    try {
      await share(open, both);
      return "ok".padEnd(name.length);
    } catch (fault) {
      process.exitCode = 1;
      console.error(`FAILED  ${title}, ${name}: ${fault.stack}`);
      return "FAILED".padEnd(name.length);
    }
  });
  console.log([title.padEnd(24), ...(await Promise.all(cells))].join("  ").trimEnd());
}
