import { authClient } from "./auth-client";

export const priorities = ["low", "medium", "high", "urgent"] as const;
export type Priority = (typeof priorities)[number];

export type Task = {
  id: string;
  user_id: string;
  title: string;
  description: string;
  completed: boolean;
  completed_at: string | null;
  priority: Priority;
  created_at: string;
  updated_at: string;
  etag: string;
};

export type NewTask = Pick<Task, "title"> & Partial<Pick<Task, "description" | "priority">>;
export type TaskPage = { tasks: Task[]; next?: string };
export type FieldFault = { field: string; message: string };

export class TasksError extends Error {
  constructor(
    message: string,
    readonly status: number,
    readonly fields: FieldFault[] = [],
  ) {
    super(message);
  }
}

/** The tasks of one user. Holds that user's access token, in memory only. */
export function tasksOf(userId: string) {
  const root = `/api/${encodeURIComponent(userId)}/tasks`;
  let cached: Promise<string> | undefined;

  function accessToken() {
    cached ??= fetchAccessToken().catch((error) => {
      cached = undefined;
      throw error;
    });
    return cached;
  }

  async function call(path: string, method = "GET", body?: unknown) {
    const send = async (token: string) =>
      fetch(path, {
        method,
        credentials: "omit", // the session's cookie is for auth-service alone
        headers: {
          authorization: `Bearer ${token}`,
          ...(body !== undefined && { "content-type": "application/json" }),
        },
        body: JSON.stringify(body),
      });

    const token = accessToken();
    let response = await send(await token);
    if (response.status === 401) {
      // Access tokens live for minutes, the session for days: fetch another and repeat, once.
      // Calls that fail together share the new one.
      if (cached === token) cached = undefined;
      await response.text(); // unread, it would hold on to its connection
      response = await send(await accessToken());
    }
    if (!response.ok) throw await fault(response);
    return response;
  }

  const path = (id: string) => `${root}/${encodeURIComponent(id)}`;

  return {
    async list(page = root): Promise<TaskPage> {
      const response = await call(page);
      return { tasks: await response.json(), next: nextPage(response) };
    },
    async add(task: NewTask): Promise<Task> {
      return (await call(root, "POST", task)).json();
    },
    async complete(id: string, completed: boolean): Promise<Task> {
      return (await call(`${path(id)}/complete`, "PATCH", { completed })).json();
    },
    async remove(id: string): Promise<void> {
      await call(path(id), "DELETE");
    },
  };
}

async function fetchAccessToken() {
  const { data, error } = await authClient.token(); // GET /api/auth/token
  if (error) throw new TasksError(error.message ?? "You are not signed in.", error.status);
  return data.token;
}

async function fault(response: Response) {
  const body = await response.json().catch(() => null);
  const message = body?.detail ?? `The task service answered ${response.status}.`;
  return new TasksError(message, response.status, body?.errors);
}

/** The path in `Link: <...>; rel="next"`, reached through this app's origin. */
function nextPage(response: Response) {
  const link = response.headers.get("link")?.match(/<([^>]+)>\s*;\s*rel="?next"?/)?.[1];
  if (!link) return undefined;
  const url = new URL(link, location.origin);
  return url.pathname + url.search;
}
