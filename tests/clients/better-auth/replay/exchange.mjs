// How an exchange is written down. Whatever is only known during the run (a token, the
// run's own domain) is taken from `seen`, hence the functions.

/** Something every browser and program sends. */
const USUAL = { "user-agent": "replay/1" };

/**
 * `method`, `path`, and then any of
 *   json     the body, sent as application/json
 *   body     the body as text, sent with `type` if there is one
 *   as       whose raw session token is sent as bearer credential
 *   cookie   whose signed session token is sent as cookie
 *   headers  further headers
 *   keep     under what name the session of the answer is remembered
 * All but `keep` may be functions of `seen`.
 */
export function exchange(title, method, path, options = {}) {
  return {
    title,
    keep: options.keep,
    request(seen) {
      const value = (part) => (typeof part === "function" ? part(seen) : part);
      const { json, body, type, as, cookie, headers } = options;
      const sent = json === undefined ? value(body) : JSON.stringify(value(json));
      const kind = json === undefined ? type : "application/json";
      return {
        method,
        path: value(path),
        body: sent,
        headers: {
          ...USUAL,
          ...(kind && { "content-type": kind }),
          ...(as && { authorization: `Bearer ${seen[as].token}` }),
          ...(cookie && { cookie: sessionCookie(seen[cookie].signed) }),
          ...value(headers),
        },
      };
    },
  };
}

export const get = (title, path, options) => exchange(title, "GET", path, options);
export const post = (title, path, options) => exchange(title, "POST", path, options);

/** The cookie header that carries a signed token. */
export function sessionCookie(signed) {
  return `better-auth.session_token=${encodeURIComponent(signed)}`;
}

/** An address that no other run uses. */
export const address = (name) => (seen) => `${name}@${seen.domain}`;

export const PASSWORD = "tulips and rain 42";
export const SITE = "http://localhost:3000";

/** Makes an account; what the rest of a group builds on. */
export function account(name, title = `${name} signs up`) {
  const json = (seen) => ({ name, email: address(name)(seen), password: PASSWORD });
  return post(title, "/sign-up/email", { json, keep: name });
}

/** Opens another session of an account, remembered as `keep`. */
export function session(name, keep, password = PASSWORD) {
  const json = (seen) => ({ email: address(name)(seen), password });
  return post(`${keep} signs in`, "/sign-in/email", { json, keep });
}
