// Starts servers as processes of their own and stops them by their ids.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export const SECRET = "Vb1x0cJq7sYw4kLr9uTz2hNf6mEa3gPd5oQi8RjX";
/** The address that both servers believe browsers call; also an origin that they trust. */
export const SITE = "http://localhost:3000";

const START_SECONDS = 30;
const STOP_SECONDS = 20;

/** A folder that vanishes with `remove`. */
export async function folder() {
  const path = await mkdtemp(join(tmpdir(), "better-auth-"));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** Starts a real Better Auth server. */
export async function startReference({ release, ids, database = "sqlite::memory:", secret = SECRET, admin }) {
  const script = fileURLToPath(new URL("reference-server.mjs", import.meta.url));
  const env = {
    PATH: process.env.PATH,
    RELEASE: release,
    ...(ids && { IDS: ids }),
    ...(admin && { ADMIN: admin }),
    SECRET: secret,
    DATABASE: database,
    BASE_URL: SITE,
    TRUSTED_ORIGINS: SITE,
  };
  const address = (line) => line.match(/^http:\S+$/)?.[0];
  return { ...(await start(process.execPath, [script], { env }, address)), release };
}

/** Starts a real Better Auth server that makes tokens in one way of `token-server.mjs`. */
export function startTokenServer({ release, makes, secret = SECRET }) {
  const script = fileURLToPath(new URL("token-server.mjs", import.meta.url));
  const env = { PATH: process.env.PATH, RELEASE: release, MAKES: makes, SECRET: secret, SITE };
  return start(process.execPath, [script], { env }, (line) => line.match(/^http:\S+$/)?.[0]);
}

/** Starts the binary that TASK_SERVICE names, and waits until it is ready for calls. */
export async function startTasks(settings) {
  const work = await folder();
  const env = {
    PATH: process.env.PATH,
    GRPC_ADDR: "127.0.0.1:0",
    HTTP_ADDR: "127.0.0.1:0",
    LAME_DUCK: "0",
    DATABASE_URL: `sqlite://${work.path}/tasks.db`,
    ...settings,
  };
  try {
    const server = await start(process.env.TASK_SERVICE, [], { env, cwd: work.path }, (line) => {
      const found = listening(line);
      return found && `http://${found}`;
    });
    const stop = () => server.stop().finally(work.remove);
    await ready(server.url).catch((fault) => stop().then(() => Promise.reject(fault)));
    return { ...server, stop };
  } catch (fault) {
    await work.remove();
    throw fault;
  }
}

const listening = (line) => line.match(/listening .*http=(127\.0\.0\.1:\d+)/)?.[1];

async function ready(url) {
  const end = Date.now() + START_SECONDS * 1000;
  while ((await fetch(`${url}/health`)).status !== 200) {
    if (Date.now() > end) throw new Error(`${url} is not ready after ${START_SECONDS} s`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Starts the server under test from the binary that STANDALONE names. */
export async function startOurs({ database, secret = SECRET, settings = {} } = {}) {
  const work = await folder();
  const env = {
    PATH: process.env.PATH,
    GRPC_ADDR: "127.0.0.1:0",
    ATTEMPT_LIMITS: "off",
    HTTP_ADDR: "127.0.0.1:0",
    LAME_DUCK: "0",
    BETTER_AUTH_SECRET: secret,
    BETTER_AUTH_URL: SITE,
    TRUSTED_ORIGINS: SITE,
    AUTH_DATABASE_URL: database ?? `sqlite://${work.path}/auth.db`,
    ...settings,
  };
  try {
    const server = await start(process.env.STANDALONE, [], { env, cwd: work.path }, (line) => {
      const found = listening(line);
      return found && `http://${found}`;
    });
    return { ...server, stop: () => server.stop().finally(work.remove) };
  } catch (fault) {
    await work.remove();
    throw fault;
  }
}

/** Runs a program until `address` finds where it listens in a line of its output. */
async function start(program, parameters, options, address) {
  const child = spawn(program, parameters, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  const lines = [];
  const url = await new Promise((resolve, reject) => {
    const watch = setTimeout(() => {
      child.kill("SIGKILL");
      fail(`not ready after ${START_SECONDS} s`);
    }, START_SECONDS * 1000);
    const fail = (why) => {
      clearTimeout(watch);
      reject(new Error(`${program}: ${why}\n${lines.join("\n")}`));
    };
    child.once("error", fail);
    child.once("exit", (code) => fail(`ended with ${code} before it was ready`));
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on("line", (line) => {
        lines.push(line);
        const found = address(line);
        if (!found) return;
        clearTimeout(watch);
        resolve(found);
      });
    }
  });
  return { url, lines, stop: () => stop(child) };
}

async function stop(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  const watch = setTimeout(() => child.kill("SIGKILL"), STOP_SECONDS * 1000);
  await ended;
  clearTimeout(watch);
}
