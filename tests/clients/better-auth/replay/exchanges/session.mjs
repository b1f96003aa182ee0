// The ways to name a session, and the response of get-session to each.
import { account, get, post, sessionCookie, SITE } from "../exchange.mjs";

const path = "/get-session";
const bearer = (title, credential) =>
  get(`session: ${title}`, path, {
    headers: (seen) => ({ authorization: credential(seen.dave) }),
  });
const cookie = (title, value) =>
  get(`session: ${title}`, path, { headers: (seen) => ({ cookie: value(seen.dave) }) });
const altered = (signed) => {
  const [token, signature] = signed.split(".");
  return `${token}.${signature[0] === "A" ? "B" : "A"}${signature.slice(1)}`;
};

export default [
  account("dave"),
  account("erin"),
  get("session: none", path),
  bearer("bearer, raw", ({ token }) => `Bearer ${token}`),
  bearer("bearer, signed", ({ signed }) => `Bearer ${signed}`),
  bearer("bearer, signed and percent-encoded", ({ signed }) => `Bearer ${encodeURIComponent(signed)}`),
  bearer("bearer, another signature", ({ signed }) => `Bearer ${altered(signed)}`),
  bearer("bearer, half a signature", ({ signed }) => `Bearer ${signed.slice(0, -20)}`),
  bearer("bearer, no signature after the dot", ({ token }) => `Bearer ${token}.`),
  bearer("bearer in lower case", ({ token }) => `bearer ${token}`),
  bearer("bearer in capitals", ({ token }) => `BEARER ${token}`),
  bearer("bearer, two spaces", ({ token }) => `Bearer  ${token}`),
  bearer("bearer, nothing after it", () => "Bearer"),
  bearer("bearer, only a space after it", () => "Bearer "),
  bearer("bearer, an unknown token", () => "Bearer 0123456789abcdefghijABCDEFGHIJ01"),
  bearer("bearer, not a token", () => "Bearer garbage"),
  bearer("the token without a scheme", ({ token }) => token),
  bearer("another scheme", ({ token }) => `Basic ${token}`),
  bearer("bearer, an access token", () => "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl"),
  cookie("cookie", ({ signed }) => sessionCookie(signed)),
  cookie("cookie, not percent-encoded", ({ signed }) => `better-auth.session_token=${signed}`),
  cookie("cookie, another signature", ({ signed }) => sessionCookie(altered(signed))),
  cookie("cookie, no signature", ({ token }) => `better-auth.session_token=${token}`),
  cookie("cookie, empty", () => "better-auth.session_token="),
  cookie("cookie, not percent-encoding", () => "better-auth.session_token=%E0%A4%A.x"),
  cookie("cookie with the prefix of https", ({ signed }) => `__Secure-${sessionCookie(signed)}`),
  cookie("cookie of another name", ({ signed }) => sessionCookie(signed).replace("better-auth", "other")),
  get("session: a cookie and the bearer of somebody else", path, { cookie: "dave", as: "erin" }),
  get("session: a cookie and a bearer that is not a token", path, {
    cookie: "dave",
    headers: { authorization: "Bearer garbage" },
  }),
  get("session: a cookie and a bearer with a bad signature", path, {
    cookie: "dave",
    headers: (seen) => ({ authorization: `Bearer ${altered(seen.dave.signed)}` }),
  }),
  get("session: disableRefresh", `${path}?disableRefresh=true`, { as: "dave" }),
  get("session: disableCookieCache", `${path}?disableCookieCache=true`, { as: "dave" }),
  get("session: a flag that is not one", `${path}?disableRefresh=perhaps`, { as: "dave" }),
  get("session: an unknown flag", `${path}?colour=blue`, { as: "dave" }),
  post("session: POST", path, { json: {}, as: "dave" }),
  post("session: POST without credentials", path, { json: {} }),
  get("token: by bearer", "/token", { as: "dave" }),
  get("token: by cookie", "/token", { cookie: "dave" }),
  get("token: no credentials", "/token"),
  get("token: a bad signature", "/token", {
    headers: (seen) => ({ authorization: `Bearer ${altered(seen.dave.signed)}` }),
  }),
  get("token: an unknown token", "/token", { headers: { authorization: "Bearer garbage" } }),
  get("jwks", "/jwks"),
  get("list-accounts", "/list-accounts", { as: "dave" }),
  get("list-accounts: no credentials", "/list-accounts"),
  post("sign-out: by cookie", "/sign-out", { json: {}, cookie: "erin", headers: { origin: SITE } }),
  get("sign-out: the session afterwards", path, { as: "erin" }),
  post("sign-out: again", "/sign-out", { json: {}, as: "erin" }),
  post("sign-out: no credentials", "/sign-out", { json: {} }),
  post("sign-out: no body and no type", "/sign-out", { as: "dave" }),
  get("sign-out: the session after that", path, { as: "dave" }),
  post("sign-out: not JSON", "/sign-out", { type: "application/json", body: "{" }),
  post("sign-out: plain text", "/sign-out", { type: "text/plain", body: "bye" }),
];
