// A `fetch` that behaves like a browser's page: it keeps cookies, sends them back, and says
// where it comes from.
import { SITE } from "./servers.mjs";

export class Browser {
  #cookies = new Map();

  fetch = async (input, init = {}) => {
    const headers = new Headers(init.headers);
    headers.set("origin", SITE);
    if (this.#cookies.size) headers.set("cookie", this.cookies());
    const response = await fetch(input, { ...init, headers });
    for (const line of response.headers.getSetCookie()) this.#store(line);
    return response;
  };

  cookies() {
    return [...this.#cookies].map(([name, value]) => `${name}=${value}`).join("; ");
  }

  #store(line) {
    const [pair, ...attributes] = line.split(/;\s*/);
    const [name, value] = [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)];
    if (attributes.some((attribute) => /^max-age=0$/i.test(attribute))) this.#cookies.delete(name);
    else this.#cookies.set(name, value);
  }
}
