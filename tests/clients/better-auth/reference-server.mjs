// A real Better Auth server: `node reference-server.mjs` with the settings below in its
// environment. Prints its address when it is ready; stops on SIGTERM.
//
//   RELEASE          1.4, 1.6, 1.7 or 1.7.1
//   IDS              uuid or serial; by default letters and digits
//   SECRET           signs cookies and tokens
//   DATABASE         sqlite:<file>, or postgres://...
//   BASE_URL         what browsers call it; by default its own address
//   TRUSTED_ORIGINS  further origins, separated by commas
//   ADMIN            if given, with the plugins admin and twoFactor; the user who signs up with
//                    this e-mail is an administrator
import { createServer } from "node:http";
import { SqliteDialect } from "kysely";
import Database from "libsql";
import pg from "pg";
import { migration, NEWEST, part } from "./releases.mjs";

const {
  RELEASE = NEWEST,
  IDS,
  SECRET,
  DATABASE = "sqlite::memory:",
  BASE_URL,
  TRUSTED_ORIGINS = "",
  ADMIN,
} = process.env;

// libsql, because its binaries come from the npm registry: nothing is compiled, no script of
// a package runs. Better Auth does not recognise it by itself, hence the dialect.
function open(address) {
  if (address.startsWith("postgres:")) return new pg.Pool({ connectionString: address });
  const database = new Database(address.replace(/^sqlite:/, ""));
  // Another process may hold the lock of the same file for a moment.
  database.pragma("busy_timeout = 5000");
  return { dialect: new SqliteDialect({ database }), type: "sqlite" };
}

const server = createServer();
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const address = `http://127.0.0.1:${server.address().port}`;

const [{ betterAuth }, { admin, bearer, jwt, twoFactor }, { toNodeHandler }, { getMigrations }] = await Promise.all([
  part(RELEASE),
  part(RELEASE, "plugins"),
  part(RELEASE, "node"),
  migration(RELEASE),
]);
const restricting = ADMIN ? [admin(), twoFactor({ skipVerificationOnEnable: true })] : [];
const role = (user) => ({ data: { ...user, role: user.email === ADMIN ? "admin" : "user" } });
const auth = betterAuth({
  secret: SECRET,
  baseURL: BASE_URL ?? address,
  database: open(DATABASE),
  trustedOrigins: TRUSTED_ORIGINS.split(",").filter(Boolean),
  emailAndPassword: { enabled: true },
  user: { deleteUser: { enabled: true } },
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
  ...(IDS && { advanced: { database: { generateId: IDS } } }),
  ...(ADMIN && { databaseHooks: { user: { create: { before: async (user) => role(user) } } } }),
  plugins: [bearer(), jwt(), ...restricting],
});
await (await getMigrations(auth.options)).runMigrations();
server.on("request", toNodeHandler(auth));

process.on("SIGTERM", () => process.exit(0));
console.log(address);
