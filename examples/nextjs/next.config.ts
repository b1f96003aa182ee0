import type { NextConfig } from "next";
import { authUrl, tasksUrl } from "./lib/services";

const config: NextConfig = {
  // The browser only ever talks to this app's origin, so the session cookie needs no CORS.
  // The first match wins: /api/auth is never taken for a user of that name.
  rewrites: async () => [
    { source: "/api/auth/:path*", destination: `${authUrl}/api/auth/:path*` },
    { source: "/api/:user/tasks/:path*", destination: `${tasksUrl}/api/:user/tasks/:path*` },
  ],
};

export default config;
