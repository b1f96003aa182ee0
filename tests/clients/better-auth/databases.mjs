// Databases that exist for one run.
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import Database from "libsql";
import pg from "pg";
import { folder } from "./servers.mjs";

const POSTGRES = process.env.TEST_DATABASE_URL ?? "postgres://postgres@127.0.0.1:5432/postgres";

/** Each has the address that either server understands, `execute` for SQL, and `remove`. */
export async function sqlite() {
  const place = await folder();
  const file = join(place.path, "auth.db");
  const execute = async (sql) => {
    const database = new Database(file);
    database.pragma("busy_timeout = 5000");
    database.exec(sql);
    database.close();
  };
  return { node: `sqlite:${file}`, ours: `sqlite://${file}`, execute, remove: place.remove };
}

export async function postgres() {
  const name = `better_auth_${randomBytes(6).toString("hex")}`;
  await command(`CREATE DATABASE ${name}`);
  const url = new URL(POSTGRES);
  url.pathname = name;
  return {
    node: url.href,
    ours: url.href,
    execute: (sql) => command(sql, url.href),
    remove: () => command(`DROP DATABASE ${name} WITH (FORCE)`),
  };
}

/** Whether PostgreSQL can be used; prints why not. Where REQUIRE_POSTGRES is set, it must. */
export async function postgresAnswers() {
  try {
    await command("SELECT 1");
    return true;
  } catch (fault) {
    if (process.env.REQUIRE_POSTGRES) throw fault;
    console.log(`PostgreSQL is left out: ${fault.message || fault.code}`);
    return false;
  }
}

async function command(text, connectionString = POSTGRES) {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    await client.query(text);
  } finally {
    await client.end();
  }
}
