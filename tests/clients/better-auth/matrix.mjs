// Plays every release of the client, in both modes, against a real server of the same release
// and against this project's server, whose address AUTH_URL holds.
import { MODES } from "./client.mjs";
import { kindness } from "./kindness.mjs";
import { play } from "./play.mjs";
import { RELEASES, version } from "./releases.mjs";
import { startReference } from "./servers.mjs";

const OURS = process.env.AUTH_URL;
const faults = [];
const rows = [];

const count = ({ passed, total }) => `${passed}/${total}`;

async function run(release, mode, url, server) {
  const result = await play({ release, mode, url });
  const where = `${version(release)} ${mode}, ${server}`;
  faults.push(...result.faults.map((fault) => `${where}: ${fault}`));
  return count(result);
}

for (const release of RELEASES) {
  const reference = await startReference({ release });
  try {
    for (const mode of MODES) {
      rows.push({
        client: `${version(release)} ${mode}`,
        "Better Auth on Node": await run(release, mode, reference.url, "Node"),
        ours: OURS ? await run(release, mode, OURS, "ours") : "not run",
      });
    }
    if (OURS) {
      const unkind = await kindness(release, OURS);
      rows.push({
        client: `${version(release)} bearer without an origin (a kindness)`,
        "Better Auth on Node": "not run",
        ours: unkind ? "refused" : "kind",
      });
      if (unkind) faults.push(`${version(release)} bearer without an origin, ours: ${unkind}`);
    }
  } finally {
    await reference.stop();
  }
}

const columns = Object.keys(rows[0]);
const widths = columns.map((name) => Math.max(...rows.map((row) => row[name].length), name.length));
const line = (cells) => cells.map((cell, index) => cell.padEnd(widths[index])).join("  ").trimEnd();
console.log(line(columns));
for (const row of rows) console.log(line(columns.map((name) => row[name])));
if (!OURS) console.log("AUTH_URL is not set: only Better Auth on Node was called");
for (const fault of faults) console.error(`FAILED ${fault}`);
if (faults.length) process.exitCode = 1;
