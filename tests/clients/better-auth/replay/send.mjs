// Sends a request byte for byte as written: Node's `fetch` adds headers of its own, and
// several of them change what a server answers.
import { request } from "node:http";

const PATIENCE = 15_000;

/** Returns `{ status, headers, body }`; header values are lists, the body is text. */
export function send(base, { method, path, headers = {}, body }) {
  const url = new URL(`${base}/api/auth`);
  const options = {
    host: url.hostname,
    port: url.port,
    path: `${url.pathname}${path}`,
    method,
    headers: { ...headers, ...(body && { "content-length": Buffer.byteLength(body) }) },
    agent: false,
    timeout: PATIENCE,
  };
  return new Promise((resolve, reject) => {
    const call = request(options, (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () =>
        resolve({
          status: response.statusCode,
          headers: response.headersDistinct,
          body: Buffer.concat(chunks).toString("utf8"),
        }),
      );
    });
    call.on("timeout", () => call.destroy(new Error(`${method} ${path}: no answer`)));
    call.on("error", reject);
    call.end(body);
  });
}
