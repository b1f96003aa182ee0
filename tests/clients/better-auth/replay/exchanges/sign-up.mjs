import { account, address, get, PASSWORD, post } from "../exchange.mjs";

const path = "/sign-up/email";
const person = (name, more) => (seen) => ({
  name: "Somebody",
  email: address(name)(seen),
  password: PASSWORD,
  ...more,
});
const signUp = (title, name, more) =>
  post(`sign-up: ${title}`, path, { json: person(name, more) });
const raw = (title, type, body) => post(`sign-up: ${title}`, path, { type, body });

export default [
  account("ada"),
  get("sign-up: the session it opened", "/get-session", { as: "ada" }),
  signUp("the address is taken", "ada"),
  signUp("the address is taken, in capitals", "ADA"),
  signUp("capitals in the address", "Capitals"),
  signUp("an empty name", "noname", { name: "" }),
  signUp("a name with letters of many scripts", "script", { name: "Zoë 🚀 Пётр" }),
  signUp("a tag in the address", "zoe+tag"),
  signUp("a picture", "picture", { image: "https://example.com/a.png" }),
  signUp("a picture that is null", "picture-null", { image: null }),
  signUp("a picture that is a number", "picture-number", { image: 5 }),
  signUp("members that are not the caller's to set", "extra", {
    id: "chosen",
    emailVerified: true,
    createdAt: "2001-01-01T00:00:00.000Z",
    role: "admin",
  }),
  signUp("an unknown member", "unknown-member", { nickname: "x" }),
  signUp("rememberMe false", "forgetful", { rememberMe: false }),
  signUp("rememberMe true", "mindful", { rememberMe: true }),
  signUp("rememberMe that is text", "text-remember", { rememberMe: "no" }),
  signUp("a callbackURL within the site", "callback", { callbackURL: "/welcome" }),
  signUp("a callbackURL elsewhere", "callback-evil", { callbackURL: "https://evil.example/" }),
  signUp("a callbackURL that is a number", "callback-number", { callbackURL: 5 }),
  signUp("a password of 7", "short", { password: "tulip 4" }),
  signUp("a password of 8", "eight", { password: "tulip 42" }),
  signUp("a password of 128", "long", { password: "tulip 42".repeat(16) }),
  signUp("a password of 129", "longer", { password: `${"tulip 42".repeat(16)}!` }),
  signUp("a password of 4 emoji", "emoji4", { password: "🌷🌧🏔🚀" }),
  signUp("a password of 8 emoji", "emoji8", { password: "🌷🌧🏔🚀🐙🪁🧭🥕" }),
  signUp("a password of 3 emoji", "emoji3", { password: "🌷🌧🚀" }),
  signUp("an empty password", "empty", { password: "" }),
  signUp("a common password", "common", { password: "password123" }),
  signUp("an address without a host", "no-host", { email: "nobody" }),
  signUp("an address with a space before it", "space", { email: " a@example.com" }),
  signUp("an address with two dots", "dots", { email: "a..b@example.com" }),
  signUp("an address that starts with a dot", "dot", { email: ".a@example.com" }),
  signUp("an address with an apostrophe", "o'hara"),
  signUp("an address with a percent sign", "percent", { email: "a%b@example.com" }),
  signUp("an address without a top-level domain", "flat", { email: "a@localhost" }),
  signUp("an address with a numeric top-level domain", "numeric", { email: "a@b.12" }),
  signUp("an address in another script", "idn", { email: "a@exämple.com" }),
  signUp("an empty address", "empty-address", { email: "" }),
  post("sign-up: nothing given", path, { json: {} }),
  post("sign-up: no name", path, { json: { email: "a@example.com", password: PASSWORD } }),
  post("sign-up: only an address", path, { json: { email: "a@example.com" } }),
  post("sign-up: an empty address and password", path, {
    json: { name: "A", email: "", password: "" },
  }),
  post("sign-up: wrong types", path, { json: { name: true, email: 5, password: null } }),
  post("sign-up: wrong types of another kind", path, { json: { name: [], email: {}, password: 1.5 } }),
  raw("a list", "application/json", "[]"),
  raw("text", "application/json", '"text"'),
  raw("a number", "application/json", "5"),
  raw("null", "application/json", "null"),
  raw("not JSON", "application/json", '{"name":'),
  raw("an empty body", "application/json", ""),
  raw("no body and no type", undefined, undefined),
  raw("plain text", "text/plain", "hello"),
  raw("JSON without a type", undefined, '{"name":"A"}'),
  raw("JSON of an unknown type", "application/vnd.api+json", '{"name":"A"}'),
  raw("a multipart form", "multipart/form-data; boundary=x", "--x--"),
  post("sign-up: JSON with a charset", path, {
    type: "application/json; charset=utf-8",
    body: (seen) => JSON.stringify(person("charset")(seen)),
  }),
  post("sign-up: JSON with a type in capitals", path, {
    type: "Application/JSON",
    body: (seen) => JSON.stringify(person("capital-type")(seen)),
  }),
  post("sign-up: a form", path, {
    type: "application/x-www-form-urlencoded",
    body: (seen) =>
      new URLSearchParams({
        name: "A form",
        email: address("form")(seen),
        password: PASSWORD,
      }).toString(),
  }),
  post("sign-up: a form without a password", path, {
    type: "application/x-www-form-urlencoded",
    body: "name=A&email=form2%40example.com",
  }),
];
