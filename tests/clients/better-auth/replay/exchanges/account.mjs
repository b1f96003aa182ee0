import { account, get, PASSWORD, post, session, SITE } from "../exchange.mjs";

const CHANGED = "daisies and fog 43";
const AGAIN = "poppies and hail 44";
const update = (title, json, options) =>
  post(`update-user: ${title}`, "/update-user", { json, as: "frank", ...options });
const change = (title, json, options) =>
  post(`change-password: ${title}`, "/change-password", { json, as: "frank", ...options });
const verify = (title, json, options) =>
  post(`verify-password: ${title}`, "/verify-password", { json, as: "frank", ...options });

export default [
  account("frank"),
  update("name and picture", { name: "Frank F.", image: "https://example.com/f.png" }),
  get("update-user: read again", "/get-session", { as: "frank" }),
  update("no picture", { image: null }),
  get("update-user: read again without the picture", "/get-session", { as: "frank" }),
  update("an empty name", { name: "" }),
  account("olivia"),
  update("a name that is null", { name: null }, { as: "olivia" }),
  update("a name that is a number", { name: 5 }, { as: "olivia" }),
  update("a picture that is a number", { image: 5 }, { as: "olivia" }),
  update("name and an unknown member", { name: "Frank", nickname: "x" }),
  update("name and emailVerified", { name: "Frank", emailVerified: true }),
  update("name and an id", { name: "Frank", id: "chosen" }),
  get("update-user: read again after what was not the caller's to set", "/get-session", { as: "frank" }),
  update("the address", { email: "x@example.com" }),
  update("the address and the name", { email: "x@example.com", name: "X" }),
  update("nothing", {}),
  update("only an unknown member", { nickname: "x" }),
  update("only emailVerified", { emailVerified: true }),
  update("no credentials", { name: "Q" }, { as: undefined }),
  update("nothing, no credentials", {}, { as: undefined }),
  update("by cookie", { name: "Frank" }, { as: undefined, cookie: "frank", headers: { origin: SITE } }),
  post("update-user: text", "/update-user", { type: "application/json", body: '"text"', as: "frank" }),
  post("update-user: a list", "/update-user", { type: "application/json", body: "[]", as: "frank" }),
  post("update-user: not JSON", "/update-user", { type: "application/json", body: "{", as: "frank" }),
  post("update-user: an empty body", "/update-user", { type: "application/json", body: "", as: "frank" }),
  post("update-user: a form", "/update-user", {
    type: "application/x-www-form-urlencoded",
    body: "name=Form",
    as: "frank",
  }),
  post("update-user: not JSON, no credentials", "/update-user", { type: "application/json", body: "{" }),
  verify("right", { password: PASSWORD }),
  verify("wrong", { password: "tulips and snow 42" }),
  verify("empty", { password: "" }),
  verify("missing", {}),
  verify("a number", { password: 5 }),
  verify("of 129", { password: `${"tulip 42".repeat(16)}!` }),
  verify("no credentials", { password: PASSWORD }, { as: undefined }),
  change("a wrong one", { currentPassword: "tulips and snow 42", newPassword: CHANGED }),
  change("the new one is of 7", { currentPassword: PASSWORD, newPassword: "tulip 4" }),
  change("the new one is of 129", { currentPassword: PASSWORD, newPassword: `${"tulip 42".repeat(16)}!` }),
  change("the new one is empty", { currentPassword: PASSWORD, newPassword: "" }),
  change("a wrong one, and the new one is of 7", { currentPassword: "x", newPassword: "tulip 4" }),
  change("nothing given", {}),
  change("wrong types", { currentPassword: 1, newPassword: [], revokeOtherSessions: "yes" }),
  change("no credentials", { currentPassword: PASSWORD, newPassword: CHANGED }, { as: undefined }),
  change("nothing given, no credentials", {}, { as: undefined }),
  session("frank", "frank-2"),
  change("the same as before", { currentPassword: PASSWORD, newPassword: PASSWORD }),
  change("right", { currentPassword: PASSWORD, newPassword: CHANGED }),
  get("change-password: this session lives on", "/get-session", { as: "frank" }),
  get("change-password: the other one too", "/get-session", { as: "frank-2" }),
  change(
    "and the others end",
    { currentPassword: CHANGED, newPassword: AGAIN, revokeOtherSessions: true },
    { keep: "frank-3" },
  ),
  get("change-password: the session that changed it has ended", "/get-session", { as: "frank" }),
  get("change-password: so has the other one", "/get-session", { as: "frank-2" }),
  get("change-password: the new session", "/get-session", { as: "frank-3" }),
  change(
    "and the others end, by cookie",
    { currentPassword: AGAIN, newPassword: PASSWORD, revokeOtherSessions: true },
    { as: undefined, cookie: "frank-3", headers: { origin: SITE }, keep: "frank-4" },
  ),
  get("change-password: the newest session", "/get-session", { cookie: "frank-4" }),
  account("niaj"),
  change("the new one is common", { currentPassword: PASSWORD, newPassword: "password123" }, { as: "niaj" }),
  change("of an ended session", { currentPassword: PASSWORD, newPassword: AGAIN }),
];
