// Runs a real Better Auth server and this project's on one database at the same time. Needs
// STANDALONE. Either may be the one that finds the database empty and makes the tables.
import { postgres, postgresAnswers, sqlite } from "./databases.mjs";
import { NEWEST, version } from "./releases.mjs";
import { startOurs, startReference } from "./servers.mjs";
import { sideBySide } from "./side-by-side.mjs";

if (!process.env.STANDALONE) throw new Error("STANDALONE must name the server's binary");

const starts = {
  "Better Auth": (database) => startReference({ release: NEWEST, database: database.node }),
  // A Better Auth server looks tokens up as they are.
  ours: (database) =>
    startOurs({ database: database.ours, settings: { SESSION_TOKENS_AT_REST: "plain" } }),
};

/** Starts both on a new database and lets each use what the other makes. */
async function share(kind, open, [first, second]) {
  const database = await open();
  const running = {};
  try {
    for (const name of [first, second]) running[name] = await starts[name](database);
    for (const [made, used] of [
      ["Better Auth", "ours"],
      ["ours", "Better Auth"],
    ]) {
      const title = `${kind}, tables by ${first}: made by ${made}, used by ${used}`;
      try {
        await sideBySide(running[made], running[used]);
        console.log(`ok      ${title}`);
      } catch (fault) {
        process.exitCode = 1;
        console.error(`FAILED  ${title}: ${fault.stack}`);
      }
    }
  } catch (fault) {
    process.exitCode = 1;
    console.error(`FAILED  ${kind}, tables by ${first}: ${fault.message}`);
  } finally {
    for (const server of Object.values(running)) await server.stop();
    await database.remove();
  }
}

console.log(`one database for Better Auth ${version(NEWEST)} and ours`);
const kinds = { SQLite: sqlite, ...((await postgresAnswers()) && { PostgreSQL: postgres }) };
for (const [kind, open] of Object.entries(kinds)) {
  await share(kind, open, ["Better Auth", "ours"]);
  await share(kind, open, ["ours", "Better Auth"]);
}
