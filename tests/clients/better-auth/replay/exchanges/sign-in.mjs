import { account, address, get, PASSWORD, post, session, SITE } from "../exchange.mjs";

const path = "/sign-in/email";
const signIn = (title, more, options) =>
  post(`sign-in: ${title}`, path, {
    json: (seen) => ({ email: address("bob")(seen), password: PASSWORD, ...more }),
    ...options,
  });
const raw = (title, type, body) => post(`sign-in: ${title}`, path, { type, body });

export default [
  account("bob"),
  session("bob", "bob-2"),
  post("sign-in: the address in capitals", path, {
    json: (seen) => ({ email: address("BOB")(seen), password: PASSWORD }),
  }),
  signIn("a wrong password", { password: "tulips and snow 42" }),
  signIn("a password too short for sign-up", { password: "x" }),
  signIn("a password of 129", { password: `${"tulip 42".repeat(16)}!` }),
  signIn("an empty password", { password: "" }),
  signIn("an unknown address", { email: "nobody@example.com" }),
  signIn("an address without a host", { email: "bob" }),
  signIn("an empty address", { email: "" }),
  signIn("an address with a space before it", { email: " bob@example.com" }),
  signIn("rememberMe false", { rememberMe: false }, { keep: "bob-forgetful" }),
  get("sign-in: the session of rememberMe false, by its cookies", "/get-session", {
    headers: (seen) => ({ cookie: seen["bob-forgetful"].cookies }),
  }),
  get("sign-in: the session of rememberMe false, by bearer", "/get-session", { as: "bob-forgetful" }),
  signIn("rememberMe that is text", { rememberMe: "no" }),
  signIn("rememberMe that is null", { rememberMe: null }),
  signIn("an unknown member", { nickname: "x" }),
  signIn("a callbackURL within the site", { callbackURL: "/dashboard" }),
  signIn("a callbackURL of a trusted origin", { callbackURL: `${SITE}/dashboard` }),
  signIn("a callbackURL elsewhere", { callbackURL: "https://evil.example/" }),
  signIn("a callbackURL that starts with two slashes", { callbackURL: "//evil.example/" }),
  signIn("a callbackURL that is a script", { callbackURL: "javascript:alert(1)" }),
  signIn("a callbackURL that is empty", { callbackURL: "" }),
  signIn("a callbackURL that is a number", { callbackURL: 5 }),
  post("sign-in: nothing given", path, { json: {} }),
  post("sign-in: no password", path, { json: { email: "a@example.com" } }),
  post("sign-in: wrong types", path, { json: { email: 5, password: false } }),
  raw("a list", "application/json", "[]"),
  raw("not JSON", "application/json", '{"email"'),
  raw("an empty body", "application/json", ""),
  raw("no body and no type", undefined, undefined),
  raw("plain text", "text/plain", "hello"),
  post("sign-in: a form", path, {
    type: "application/x-www-form-urlencoded",
    body: (seen) =>
      new URLSearchParams({ email: address("bob")(seen), password: PASSWORD }).toString(),
  }),
  post("sign-in: while signed in already, by bearer", path, {
    json: (seen) => ({ email: address("bob")(seen), password: PASSWORD }),
    as: "bob",
  }),
];
