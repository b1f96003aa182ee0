// The releases of Better Auth under test. Each is installed under a name of its own, so that
// all of them stay unmodified, side by side.
import { readFileSync } from "node:fs";

export const RELEASES = ["1.4", "1.6", "1.7"];
export const NEWEST = "1.7";
/** Of its kind there were three: they demand a column `issuer` of every account. */
export const WITH_ISSUER = "1.7.1";

// Where each release keeps its migrations.
const MIGRATION = { "1.4": "db", "1.6": "db/migration", "1.7": "db/migration", [WITH_ISSUER]: "db/migration" };

/** Loads a part of a release, for example `part("1.7", "client/plugins")`. */
export function part(release, path) {
  return import(path ? `better-auth-${release}/${path}` : `better-auth-${release}`);
}

export function migration(release) {
  return part(release, MIGRATION[release]);
}

/** The exact version that stands behind a release, for example `1.7.25`. */
export function version(release) {
  const manifest = new URL(`../node_modules/better-auth-${release}/package.json`, import.meta.url);
  return JSON.parse(readFileSync(manifest, "utf8")).version;
}
