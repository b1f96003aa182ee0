import { jwtClient } from "better-auth/client/plugins";
import { createAuthClient } from "better-auth/react";

// Cookie mode. No baseURL: requests go to this app's own origin and next.config.ts passes
// them on, so the browser keeps the session in an HttpOnly cookie.
export const authClient = createAuthClient({ plugins: [jwtClient()] });
