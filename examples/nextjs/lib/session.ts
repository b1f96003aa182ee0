import { headers } from "next/headers";
import { authUrl } from "./services";

type Session = { user: { id: string; name: string; email: string } };

/** The visitor's session, for Server Components; null if signed out. */
export async function getSession(): Promise<Session | null> {
  const cookie = (await headers()).get("cookie");
  if (!cookie) return null;
  // A Server Component cannot set cookies, so the session is extended from the browser only.
  const response = await fetch(`${authUrl}/api/auth/get-session?disableRefresh=true`, {
    headers: { cookie },
    cache: "no-store",
  });
  if (!response.ok) throw new Error(`auth-service answered ${response.status}`);
  return response.json();
}
