// Which requests a browser may have been tricked into.
import { account, address, get, PASSWORD, post, SITE } from "../exchange.mjs";

const EVIL = "https://evil.example";
const signIn = (title, headers, options) =>
  post(`origin: sign-in, ${title}`, "/sign-in/email", {
    json: (seen) => ({ email: address("carol")(seen), password: PASSWORD }),
    headers,
    ...options,
  });
const update = (title, headers, options = { cookie: "carol" }) =>
  post(`origin: update by cookie, ${title}`, "/update-user", {
    json: { name: "Carol" },
    headers,
    ...options,
  });

export default [
  account("carol"),
  signIn("no origin", {}),
  signIn("a trusted origin", { origin: SITE }),
  signIn("another origin", { origin: EVIL }),
  signIn("a null origin", { origin: "null" }),
  signIn("a trusted origin with a path", { origin: `${SITE}/path` }),
  signIn("an origin that only starts like a trusted one", { origin: `${SITE}.evil.example` }),
  signIn("a trusted origin of another scheme", { origin: "https://localhost:3000" }),
  signIn("a trusted origin of another port", { origin: "http://localhost:3001" }),
  signIn("a trusted referer", { referer: `${SITE}/sign-in` }),
  signIn("another referer", { referer: `${EVIL}/sign-in` }),
  signIn("a trusted origin, another referer", { origin: SITE, referer: `${EVIL}/` }),
  signIn("same-origin by fetch metadata", { "sec-fetch-site": "same-origin", "sec-fetch-mode": "cors" }),
  signIn("Node's fetch", { "sec-fetch-mode": "cors" }),
  signIn("fetch metadata and a trusted origin", {
    origin: SITE,
    "sec-fetch-site": "same-origin",
    "sec-fetch-mode": "cors",
  }),
  signIn("fetch metadata and another origin", {
    origin: EVIL,
    "sec-fetch-site": "cross-site",
    "sec-fetch-mode": "cors",
  }),
  signIn("cross-site by fetch metadata, no origin", {
    "sec-fetch-site": "cross-site",
    "sec-fetch-mode": "cors",
  }),
  signIn("a navigation from another site", {
    "sec-fetch-site": "cross-site",
    "sec-fetch-mode": "navigate",
    "sec-fetch-dest": "document",
  }),
  signIn("a navigation from another site, trusted origin", {
    origin: SITE,
    "sec-fetch-site": "cross-site",
    "sec-fetch-mode": "navigate",
    "sec-fetch-dest": "document",
  }),
  signIn("a null origin, same-origin by fetch metadata", {
    origin: "null",
    "sec-fetch-site": "same-origin",
    "sec-fetch-mode": "navigate",
  }),
  signIn("a null origin, same-origin by fetch metadata, called by the site's name", {
    host: "localhost:3000",
    origin: "null",
    "sec-fetch-site": "same-origin",
    "sec-fetch-mode": "navigate",
  }),
  signIn("a foreign cookie, no origin", { cookie: "theme=dark" }),
  signIn("a foreign cookie, a trusted origin", { cookie: "theme=dark", origin: SITE }),
  signIn("a session cookie, no origin", {}, { cookie: "carol" }),
  signIn("a session cookie, a trusted origin", { origin: SITE }, { cookie: "carol" }),
  post("origin: sign-up, another origin", "/sign-up/email", {
    json: (seen) => ({ name: "A", email: address("origin-1")(seen), password: PASSWORD }),
    headers: { origin: EVIL },
  }),
  post("origin: sign-up, a navigation from another site", "/sign-up/email", {
    json: (seen) => ({ name: "A", email: address("origin-2")(seen), password: PASSWORD }),
    headers: { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" },
  }),
  post("origin: sign-up, not JSON from another origin", "/sign-up/email", {
    type: "application/json",
    body: "{",
    headers: { origin: EVIL },
  }),
  update("no origin", {}),
  update("a trusted origin", { origin: SITE }),
  update("another origin", { origin: EVIL }),
  update("a null origin", { origin: "null" }),
  update("a trusted referer", { referer: `${SITE}/profile` }),
  update("another referer", { referer: `${EVIL}/profile` }),
  update("an empty origin, a trusted referer", { origin: "", referer: `${SITE}/profile` }),
  update("same-origin by fetch metadata, no origin", {
    "sec-fetch-site": "same-origin",
    "sec-fetch-mode": "cors",
  }),
  update("a foreign cookie besides, a trusted origin", (seen) => ({
    origin: SITE,
    cookie: `theme=dark; better-auth.session_token=${encodeURIComponent(seen.carol.signed)}; x=1`,
  }), {}),
  post("origin: update by bearer, another origin", "/update-user", {
    json: { name: "Carol" },
    as: "carol",
    headers: { origin: EVIL },
  }),
  post("origin: update by bearer, a foreign cookie", "/update-user", {
    json: { name: "Carol" },
    as: "carol",
    headers: { cookie: "theme=dark" },
  }),
  get("origin: get-session by cookie, another origin", "/get-session", {
    cookie: "carol",
    headers: { origin: EVIL },
  }),
  post("origin: sign-out by cookie, no origin", "/sign-out", { json: {}, cookie: "carol" }),
  post("origin: sign-out without credentials, another origin", "/sign-out", {
    json: {},
    headers: { origin: EVIL },
  }),
  post("origin: sign-out by cookie, a trusted origin", "/sign-out", {
    json: {},
    cookie: "carol",
    headers: { origin: SITE },
  }),
  get("origin: get-session by the cookie of an ended session", "/get-session", { cookie: "carol" }),
];
