export const authUrl = process.env.AUTH_URL || "http://127.0.0.1:8000";
export const tasksUrl = process.env.TASKS_URL || "http://127.0.0.1:8000";
