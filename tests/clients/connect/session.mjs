// Calls the server at SERVER (host:port of its gRPC port) as a page in a browser would.
import { randomBytes } from "node:crypto";
import { createClient } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { AuthService } from "./generated/auth/v1/auth_service_pb.js";
import { SessionService } from "./generated/auth/v1/session_service_pb.js";
import { TaskService } from "./generated/task/v1/task_service_pb.js";

const { SERVER, SERVER_CA } = process.env;
if (!SERVER) throw new Error("SERVER must hold the server's host and port");
/** The address, with TLS where SERVER_CA names the authority of its certificate. */
export const ADDRESS = `${SERVER_CA ? "https" : "http"}://${SERVER}`;

// Node's own `fetch`, as a browser has it.
const transport = createGrpcWebTransport({ baseUrl: ADDRESS });

export const auth = createClient(AuthService, transport);
export const sessions = createClient(SessionService, transport);
export const tasks = createClient(TaskService, transport);

export const PASSWORD = "tulips and rain 42";

/** Signs a new person up. */
export async function signUp(name) {
  const email = `${name}-${randomBytes(6).toString("hex")}@example.com`;
  const answer = await auth.signUp({ email, password: PASSWORD, name });
  return {
    email,
    user: answer.user,
    id: answer.user.id,
    session: bearer(answer.sessionToken),
    access: bearer(answer.accessToken.token),
  };
}

/** The call option that sends a token. */
export function bearer(token) {
  return { headers: { authorization: `Bearer ${token}` } };
}
