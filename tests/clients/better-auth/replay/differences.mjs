// Where this project's answers differ from Better Auth's on purpose. Each entry holds the
// reason and the differences it excuses:
//   in    the exchanges it occurs in, each of which must show it; none: it occurs somewhere
//   part  the member: a text, or a pattern
//   node, ours   the values on both sides: texts, numbers, or patterns
import { ABSENT } from "./compare.mjs";

const GIVEN = /^(?!\(absent\)$)/;
const SESSION = /^(set-auth-token|set-cookie|body\.(token|user|redirect|status)|access-control-expose-headers)$/;
const EXPIRED = /^better-auth\.dont_remember=; .*Max-Age=0.*\n.*session_data=; .*Max-Age=0.*\n.*session_token=; .*Max-Age=0/;

/** Better Auth goes through with what is refused here. */
const refused = (titles, code, status = 400) => [
  { in: titles, part: "status", node: 200, ours: status },
  { in: titles, part: "body.code", node: ABSENT, ours: code },
  { in: titles, part: "body.message", node: ABSENT, ours: GIVEN },
  { in: titles, part: SESSION, node: GIVEN, ours: ABSENT },
];

const forbidden = (titles, code) => refused(titles, code, 403);

/** Better Auth misses an origin that is not asked for here. */
const admitted = (titles) => [
  { in: titles, part: "status", node: 403, ours: 200 },
  { in: titles, part: "body.code", node: "MISSING_OR_NULL_ORIGIN", ours: ABSENT },
  { in: titles, part: "body.message", node: GIVEN, ours: ABSENT },
  { in: titles, part: SESSION, node: ABSENT, ours: GIVEN },
];

/** Better Auth has a route where there is none here. */
const missing = (titles, status) => [
  ...(status === 404 ? [] : [{ in: titles, part: "status", node: status, ours: 404 }]),
  { in: titles, part: /^(content-type|location|body)$/, node: GIVEN, ours: /^(\(absent\))?$/ },
];

export const ACCEPTED = [
  {
    title: "No answer is stored",
    why: "Any answer may hold a credential or tell whether one is good. Better Auth says `no-store` on get-session alone.",
    differences: [{ part: "cache-control", node: ABSENT, ours: "no-store" }],
  },
  {
    title: "Access tokens are HS256",
    why: "Services verify them with the shared secret, without a request for keys; that is what this project is for. Better Auth's plugin signs with a key pair.",
    differences: [
      { part: /\.header\.alg$/, node: "EdDSA", ours: "HS256" },
      { part: /\.header\.typ$/, node: ABSENT, ours: "JWT" },
      { in: ["jwks"], part: "body.keys.0", node: GIVEN, ours: ABSENT },
    ],
  },
  {
    title: "Access tokens hold less",
    why: "A token names its user (`sub`, `uid`, `email`, `name`) and by which session (`sid`); the rest of the account is asked for where it is needed, and then it is current.",
    differences: [
      { part: /\.claims\.(createdAt|emailVerified|id|image|updatedAt)$/, node: GIVEN, ours: ABSENT },
      { part: /\.claims\.sid$/, node: ABSENT, ours: "<session id>" },
      { part: /\.claims\.uid$/, node: ABSENT, ours: GIVEN },
    ],
  },
  {
    title: "A sign-in returns an access token at once",
    why: "It saves the call that would follow. Better Auth sends `set-auth-jwt` on get-session only.",
    differences: [
      { in: ["judy signs up", "bob-2 signs in"], part: "set-auth-jwt", node: ABSENT, ours: /"alg":"HS256"/ },
      { part: "set-auth-jwt", node: ABSENT, ours: /"alg":"HS256"/ },
      { part: "access-control-expose-headers", node: /^(set-auth-token|\(absent\))$/, ours: "set-auth-token, set-auth-jwt" },
    ],
  },
  {
    title: "The address of a session is the connection's",
    why: "Better Auth never looks at the connection and leaves the address empty unless a proxy names one.",
    differences: [{ part: /\.ipAddress$/, node: "", ours: "127.0.0.1" }],
  },
  {
    title: "A program without cookies needs no origin",
    why: "Node's own `fetch` sends `sec-fetch-mode` and no origin, so Better Auth refuses its own client there. Without a cookie there is nothing a foreign page could abuse, and browsers send an origin with every POST.",
    differences: admitted([
      "origin: sign-in, same-origin by fetch metadata",
      "origin: sign-in, Node's fetch",
      "origin: sign-in, cross-site by fetch metadata, no origin",
    ]),
  },
  {
    title: "A null origin is never taken for the server's own",
    why: "Better Auth believes `sec-fetch-site: same-origin` and then judges the address it was called by. Here an origin is trusted by its name or not at all.",
    differences: [
      {
        in: ["origin: sign-in, a null origin, same-origin by fetch metadata"],
        part: "body.code",
        node: "INVALID_ORIGIN",
        ours: "MISSING_OR_NULL_ORIGIN",
      },
      {
        in: ["origin: sign-in, a null origin, same-origin by fetch metadata"],
        part: "body.message",
        node: "Invalid origin",
        ours: "Missing or null Origin",
      },
      ...forbidden(
        ["origin: sign-in, a null origin, same-origin by fetch metadata, called by the site's name"],
        "MISSING_OR_NULL_ORIGIN",
      ),
    ],
  },
  {
    title: "The origin is judged before the body is read",
    why: "Who may not ask learns nothing about the question.",
    differences: [
      { in: ["origin: sign-up, not JSON from another origin"], part: "status", node: 400, ours: 403 },
      { in: ["origin: sign-up, not JSON from another origin"], part: "body.code", node: "BAD_REQUEST", ours: "INVALID_ORIGIN" },
      { in: ["origin: sign-up, not JSON from another origin"], part: "body.message", node: GIVEN, ours: "Invalid origin" },
    ],
  },
  {
    title: "Passwords that are guessed at once are refused",
    why: "Better Auth takes every password that is long enough. Four characters of any kind are too few, although they fill eight UTF-16 units.",
    differences: [
      ...refused(["sign-up: a common password", "sign-up: a password of 4 emoji"], "PASSWORD_TOO_COMMON"),
      ...refused(["change-password: the new one is common"], "PASSWORD_TOO_COMMON"),
    ],
  },
  {
    title: "The members of update-user have types",
    why: "Better Auth stores a number where text belongs, and fails with an empty 500 on a name that is null.",
    differences: [
      ...refused(["update-user: a name that is a number", "update-user: a picture that is a number"], "VALIDATION_ERROR"),
      { in: ["update-user: a name that is null"], part: "status", node: 500, ours: 400 },
      { in: ["update-user: a name that is null"], part: "content-type", node: ABSENT, ours: "application/json" },
      { in: ["update-user: a name that is null"], part: "body", node: "", ours: /"code":"VALIDATION_ERROR"/ },
    ],
  },
  {
    title: "A query parameter that is not known is refused by name",
    why: "A client that sends one relies on it, or has misspelled one that is known. Better Auth passes over it.",
    differences: [
      { in: ["session: an unknown flag"], part: "status", node: 200, ours: 400 },
      { in: ["session: an unknown flag"], part: "body.code", node: ABSENT, ours: "VALIDATION_ERROR" },
      { in: ["session: an unknown flag"], part: "body.message", node: ABSENT, ours: /^\[query\.colour\] / },
      { in: ["session: an unknown flag"], part: /^(body\.(session|user)|set-auth-jwt|access-control-expose-headers|pragma)$/, node: GIVEN, ours: ABSENT },
    ],
  },
  {
    title: "A callbackURL of the wrong type is named like every other member",
    why: "Better Auth has a message of its own for it, without a code.",
    differences: [
      {
        in: ["sign-up: a callbackURL that is a number", "sign-in: a callbackURL that is a number"],
        part: "body.code",
        node: ABSENT,
        ours: "VALIDATION_ERROR",
      },
      {
        in: ["sign-up: a callbackURL that is a number", "sign-in: a callbackURL that is a number"],
        part: "body.message",
        node: "Invalid callbackURL: expected a string",
        ours: "[body.callbackURL] Invalid input: expected string, received number",
      },
    ],
  },
  {
    title: "A session that is not to be remembered stays short",
    why: "Better Auth keeps the wish in a cookie; without that cookie, which a bearer never sends, it prolongs the session to seven days at its first use.",
    differences: [
      {
        in: ["sign-in: the session of rememberMe false, by bearer"],
        part: "body.session.expiresAt",
        node: "<now + 7 d>",
        ours: "<now + 1 d>",
      },
      { in: ["sign-in: the session of rememberMe false, by bearer"], part: /^set-(cookie|auth-token)$/, node: GIVEN, ours: ABSENT },
      {
        in: ["sign-in: the session of rememberMe false, by bearer"],
        part: "access-control-expose-headers",
        node: "set-auth-token, set-auth-jwt",
        ours: "set-auth-jwt",
      },
    ],
  },
  {
    title: "A bearer that is no token leaves the cookie in force",
    why: "Better Auth does so for a bad signature; a text without one it takes for a session that has ended, and signs the browser out.",
    differences: [
      {
        in: ["session: a cookie and a bearer that is not a token"],
        part: "body",
        node: null,
        ours: /"token":"<token of dave signs up>"/,
      },
      { in: ["session: a cookie and a bearer that is not a token"], part: "set-cookie", node: EXPIRED, ours: ABSENT },
      { in: ["session: a cookie and a bearer that is not a token"], part: "set-auth-jwt", node: ABSENT, ours: GIVEN },
      {
        in: ["session: a cookie and a bearer that is not a token"],
        part: "access-control-expose-headers",
        node: ABSENT,
        ours: "set-auth-jwt",
      },
    ],
  },
  {
    title: "The list of sessions holds no credentials of others",
    why: "Better Auth lists every session's token. Here the other sessions are named by a handle that revoke-session takes and that opens nothing.",
    differences: [
      {
        in: ["list-sessions: three", "list-sessions: by cookie"],
        part: /^body\.[12]\.token$/,
        node: /^<token of grace-[23] signs in>$/,
        ours: /^<token of list-sessions: three \[[12]\]>$/,
      },
    ],
  },
  {
    title: "The list of sessions tells when each was last used",
    why: "A user who looks for a session that is not theirs wants to know. Better Auth keeps no such moment; its client passes the member on.",
    differences: [
      {
        in: ["list-sessions: one", "list-sessions: three", "list-sessions: by cookie"],
        part: /^body\.[012]\.lastUsedAt$/,
        node: ABSENT,
        ours: GIVEN,
      },
    ],
  },
  {
    title: "No mail, no links, no foreign accounts, no pages",
    why: "This project sends no mail and signs no user in elsewhere, so the routes for it do not exist. Better Auth has them and refuses while they are not set up.",
    differences: [
      ...missing(["request-password-reset", "reset-password", "send-verification-email", "change-email"], 400),
      ...missing(["reset-password: a link"], 302),
      ...missing(["verify-email"], 401),
      ...missing(["sign-in/social", "delete-user/callback"], 404),
      ...missing(["error"], 200),
    ],
  },
];
