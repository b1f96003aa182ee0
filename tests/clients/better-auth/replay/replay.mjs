// Replays the exchanges against a real Better Auth server and against this project's, and
// compares the answers.
//
//   node replay/replay.mjs                 needs STANDALONE
//   node replay/replay.mjs --record FILE   only writes down Better Auth's answers
//   node replay/replay.mjs --render        only rewrites differences.md
import { readFileSync, writeFileSync } from "node:fs";
import { NEWEST, version } from "../releases.mjs";
import { SECRET, startOurs, startReference } from "../servers.mjs";
import { compare } from "./compare.mjs";
import { ACCEPTED } from "./differences.mjs";
import { print } from "./print.mjs";
import { record } from "./record.mjs";
import { render } from "./render.mjs";
import { settle } from "./settle.mjs";

const RENDERED = new URL("differences.md", import.meta.url);

async function recorded(starting) {
  const server = await starting;
  try {
    return await record({ url: server.url, secret: SECRET });
  } finally {
    await server.stop();
  }
}

const [mode, file] = process.argv.slice(2);
if (mode === "--render") {
  writeFileSync(RENDERED, render());
} else if (mode === "--record") {
  writeFileSync(file, print(await recorded(startReference({ release: NEWEST }))));
} else {
  await replay();
}

async function replay() {
  if (!process.env.STANDALONE) throw new Error("STANDALONE must name the server's binary");
  const node = await recorded(startReference({ release: NEWEST }));
  const ours = await recorded(startOurs());
  const differences = compare(node, ours);
  const { unlisted, outdated } = settle(differences, ACCEPTED);
  console.log(
    `replay: ${node.length} exchanges with Better Auth ${version(NEWEST)} and with ours, ` +
      `${differences.length} differing members, ${differences.length - unlisted.length} of them accepted`,
  );
  for (const { title, part, node: theirs, ours: own } of unlisted) {
    console.error(`unlisted: "${title}", ${part}\n  Better Auth: ${theirs}\n  ours:        ${own}`);
  }
  for (const { title, exchange, part } of outdated) {
    console.error(`no longer so: "${title}": ${part} in ${exchange ?? "any exchange"}`);
  }
  const stale = readFileSync(RENDERED, "utf8") !== render();
  if (stale) console.error("differences.md is out of date: node replay/replay.mjs --render");
  if (unlisted.length || outdated.length || stale) process.exitCode = 1;
}
