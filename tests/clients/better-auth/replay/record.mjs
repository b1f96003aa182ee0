// Plays all exchanges against one server and returns its normalised answers, in order.
import { randomBytes } from "node:crypto";
import { EXCHANGES } from "./exchanges.mjs";
import { Names } from "./names.mjs";
import { normalise } from "./normalise.mjs";
import { send } from "./send.mjs";

export async function record({ url, secret }) {
  const seen = { domain: `run-${randomBytes(6).toString("hex")}.example.com` };
  const names = new Names({ secret, domain: seen.domain });
  const recording = [];
  for (const { title, keep, request } of EXCHANGES) {
    const call = request(seen);
    const answer = await send(url, call);
    if (keep) seen[keep] = remember(answer, title, names);
    recording.push({
      title,
      request: readable(call, names),
      answer: normalise(answer, title, names),
    });
  }
  return recording;
}

/** The session that an answer opened. Later exchanges build on it, so it must be there. */
function remember(answer, title, names) {
  const token = answer.status === 200 && JSON.parse(answer.body).token;
  if (!token) throw new Error(`"${title}" opened no session: ${answer.status} ${answer.body}`);
  names.learn(token, "token", title);
  const cookies = (answer.headers["set-cookie"] ?? []).map((line) => line.split(";")[0]);
  return { token, signed: `${token}.${names.signature(token)}`, cookies: cookies.join("; ") };
}

function readable({ method, path, headers, body }, names) {
  const { "user-agent": _, ...shown } = headers;
  const lines = [`${method} ${path}`];
  for (const [name, value] of Object.entries(shown)) lines.push(`${name}: ${decode(value)}`);
  if (body) lines.push(body);
  return lines.map((line) =>
    names.rename(line).replace(/>\.[A-Za-z0-9+/]{10,}=?/g, ">.<another signature>"),
  );
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
