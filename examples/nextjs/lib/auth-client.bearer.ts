import { jwtClient } from "better-auth/client/plugins";
import { createAuthClient } from "better-auth/react";

// Bearer mode, for a frontend on another site than auth-service. This app does not use it.
// Scripts can read what localStorage holds; prefer the cookie where the origin can be shared.
const key = "session-token";

export const authClient = createAuthClient({
  baseURL: "http://127.0.0.1:8000",
  plugins: [jwtClient()],
  fetchOptions: {
    credentials: "omit",
    auth: { type: "Bearer", token: () => localStorage.getItem(key) ?? "" },
    onSuccess: ({ request, response }) => {
      const token = response.headers.get("set-auth-token");
      if (token) localStorage.setItem(key, token);
      if (String(request.url).endsWith("/sign-out")) localStorage.removeItem(key);
    },
  },
});
