// The unmodified client of a release, set up in one of the two ways its manual describes.
import { Browser } from "./browser.mjs";
import { part } from "./releases.mjs";
import { SITE } from "./servers.mjs";

export const MODES = ["bearer", "cookie"];

/** Returns `newClient()`; each client it makes is a device of its own. */
export async function clients({ release, mode, url, origin = SITE }) {
  const [{ createAuthClient }, { jwtClient }] = await Promise.all([
    part(release, "client"),
    part(release, "client/plugins"),
  ]);
  const fetchOptions = mode === "bearer" ? () => bearer(origin) : cookie;
  return () =>
    createAuthClient({ baseURL: url, plugins: [jwtClient()], fetchOptions: fetchOptions() });
}

/** Keeps the token from `set-auth-token`. Without `origin` it sends none, as Node does. */
function bearer(origin) {
  let token = "";
  return {
    credentials: "omit",
    ...(origin && { headers: { origin } }),
    auth: { type: "Bearer", token: () => token },
    onSuccess: ({ response }) => {
      token = response.headers.get("set-auth-token") || token;
    },
  };
}

function cookie() {
  return { customFetchImpl: new Browser().fetch };
}
