// Gives every value that differs from run to run a name that does not: a token is called
// after the exchange that first showed it, a moment after its distance from now.
import { createHmac } from "node:crypto";

const ISO = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g;
const SIGNED = /([A-Za-z0-9_-]{20,128})\.([A-Za-z0-9+/]{43}=)(?!=)/g;
const SPANS = [
  [0, "now"],
  [900, "now + 15 min"],
  [86_400, "now + 1 d"],
  [604_800, "now + 7 d"],
];
const SLACK = 120; // seconds that a run may take

export function moment(milliseconds, now) {
  const distance = (milliseconds - now) / 1000;
  const span = SPANS.find(([seconds]) => Math.abs(distance - seconds) < SLACK);
  return span ? `<${span[1]}>` : `<now ${distance < 0 ? "-" : "+"} ${Math.abs(Math.round(distance))} s>`;
}

export class Names {
  constructor({ secret, domain }) {
    this.secret = secret;
    this.domain = domain;
    this.known = new Map();
  }

  /** Remembers that `value` is a `kind`; the first mention counts. */
  learn(value, kind, title) {
    if (typeof value === "string" && value.length >= 16 && !this.known.has(value)) {
      this.known.set(value, `<${kind} of ${title}>`);
    }
  }

  /** Learns all tokens and ids within an answer's JSON. */
  learnFrom(json, title) {
    if (Array.isArray(json)) json.forEach((item, index) => this.learnFrom(item, `${title} [${index}]`));
    else if (json && typeof json === "object") {
      for (const [key, value] of Object.entries(json)) {
        if (key === "token" && !isJwt(value)) this.learn(value, "token", title);
        else if (key === "id" || key === "kid" || key === "x") this.learn(value, this.kind(json, key), title);
        else this.learnFrom(value, title);
      }
    }
  }

  kind(json, key) {
    if (key === "x") return "public key";
    if (key === "kid") return "key id";
    if ("expiresAt" in json) return "session id";
    return "providerId" in json ? "account id" : "user id";
  }

  /** The text with every known value renamed, moments too if `now` is given. */
  rename(text, now) {
    let named = text.replace(SIGNED, (whole, token, signature) =>
      this.signature(token) === signature ? `${token}.<its signature>` : whole,
    );
    for (const [value, name] of this.known) named = named.split(value).join(name);
    named = named.replaceAll(this.domain, "<domain>");
    return now === undefined ? named : named.replace(ISO, (iso) => moment(Date.parse(iso), now));
  }

  signature(message) {
    return createHmac("sha256", this.secret).update(message).digest("base64");
  }
}

export function isJwt(value) {
  return typeof value === "string" && /^eyJ[\w-]+\.[\w-]+\.[\w-]+$/.test(value);
}
