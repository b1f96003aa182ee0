"use client";

import { useRouter } from "next/navigation";
import { useState, useTransition } from "react";
import { authClient } from "@/lib/auth-client";

export function SignOutButton() {
  const router = useRouter();
  const [failed, setFailed] = useState(false);
  const [pending, startTransition] = useTransition();

  function signOut() {
    setFailed(false);
    startTransition(async () => {
      const { error } = await authClient.signOut().catch((error) => ({ error }));
      if (error) setFailed(true);
      else router.refresh();
    });
  }

  return (
    <>
      <span role="alert">{failed && <span className="fault">Not signed out</span>}</span>
      <button type="button" onClick={signOut} disabled={pending}>
        Sign out
      </button>
    </>
  );
}
