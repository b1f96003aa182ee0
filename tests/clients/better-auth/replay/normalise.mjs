// Turns an answer into one that can be compared with another server's.
import { isJwt, moment } from "./names.mjs";

// The headers that the API gives a meaning. All others belong to the host: connection
// handling, CORS, hardening. Of CORS one thing matters: whether a page may read the
// credentials that an answer carries.
const CREDENTIALS = ["set-auth-token", "set-auth-jwt"];
const COMPARED = [
  "content-type",
  "cache-control",
  "pragma",
  "location",
  "set-auth-token",
  "set-auth-jwt",
  "set-cookie",
  "x-retry-after",
];

export function normalise(answer, title, names, now = Date.now()) {
  const json = parse(answer.body);
  if (json !== undefined) names.learnFrom(json, title);
  const headers = {};
  for (const name of COMPARED) {
    const values = answer.headers[name];
    if (values) headers[name] = header(name, values, names, now);
  }
  const credentials = exposed(answer.headers);
  if (credentials) headers["access-control-expose-headers"] = credentials;
  return { status: answer.status, headers, body: body(answer, json, names, now) };
}

function body(answer, json, names, now) {
  if (json !== undefined) return value(json, names, now);
  // What a page looks like is no part of the API.
  return /^\s*<!doctype html/i.test(answer.body) ? "<a page>" : names.rename(answer.body, now);
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function header(name, values, names, now) {
  if (name === "set-auth-jwt") return values.map((jwt) => value(jwt, names, now))[0];
  if (name === "set-cookie") return values.map((line) => cookie(line, names, now)).sort();
  return names.rename(values.join(", "), now);
}

function exposed(headers) {
  const list = headers["access-control-expose-headers"] ?? [];
  const names = list.flatMap((value) => value.toLowerCase().split(/\s*,\s*/));
  return CREDENTIALS.filter((name) => headers[name] && names.includes(name)).join(", ");
}

/** The order of a cookie's attributes means nothing, the spelling of its value a lot. */
function cookie(line, names, now) {
  const [pair, ...attributes] = line.split(/;\s*/);
  const encoded = pair.slice(pair.indexOf("=") + 1);
  const decoded = decodeURIComponent(encoded);
  const spelling = encodeURIComponent(decoded) === encoded ? "" : " (not encoded)";
  const named = names.rename(decoded, now) + spelling;
  return [`${pair.slice(0, pair.indexOf("="))}=${named}`, ...attributes.sort()].join("; ");
}

function value(json, names, now) {
  if (isJwt(json)) return jwt(json, names, now);
  if (typeof json === "string") return names.rename(json, now);
  if (Array.isArray(json)) return json.map((item) => value(item, names, now));
  if (json && typeof json === "object") {
    return Object.fromEntries(
      Object.keys(json)
        .sort()
        .map((key) => [key, value(json[key], names, now)]),
    );
  }
  return json;
}

function jwt(text, names, now) {
  const [head, claims] = text
    .split(".")
    .slice(0, 2)
    .map((part) => JSON.parse(Buffer.from(part, "base64url")));
  for (const name of ["iat", "exp", "nbf"]) {
    if (name in claims) claims[name] = moment(claims[name] * 1000, now);
  }
  // Which key signed is the server's choice, whether it is named is not.
  if ("kid" in head) head.kid = "<key id>";
  // The answer that opens a session does not name it elsewhere.
  if ("sid" in claims) claims.sid = "<session id>";
  return { header: value(head, names, now), claims: value(claims, names, now) };
}
