"use client";

import Link from "next/link";
import { useRouter } from "next/navigation";
import { useState, useTransition, type SubmitEvent } from "react";
import { authClient } from "@/lib/auth-client";

export function AuthForm({ mode }: { mode: "sign-in" | "sign-up" }) {
  const router = useRouter();
  const [fault, setFault] = useState("");
  const [pending, startTransition] = useTransition();
  const signUp = mode === "sign-up";

  function submit(event: SubmitEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const name = String(form.get("name"));
    const email = String(form.get("email"));
    const password = String(form.get("password"));

    setFault("");
    startTransition(async () => {
      try {
        const { error } = signUp
          ? await authClient.signUp.email({ name, email, password })
          : await authClient.signIn.email({ email, password });
        if (error) setFault(error.message || `The auth service answered ${error.status}.`);
        else router.refresh(); // the page sees the session and redirects to the tasks
      } catch {
        setFault("The auth service cannot be reached.");
      }
    });
  }

  return (
    <>
      <h1>{signUp ? "Create an account" : "Sign in"}</h1>
      <form onSubmit={submit} aria-busy={pending}>
        {signUp && (
          <label>
            Name
            <input name="name" autoComplete="name" required />
          </label>
        )}
        <label>
          E-mail
          <input name="email" type="email" autoComplete="email" required />
        </label>
        <label>
          Password
          <input
            name="password"
            type="password"
            autoComplete={signUp ? "new-password" : "current-password"}
            minLength={signUp ? 8 : undefined}
            aria-describedby={signUp ? "password-hint" : undefined}
            required
          />
        </label>
        {signUp && (
          <p id="password-hint" className="hint">
            At least 8 characters.
          </p>
        )}
        <div role="alert">{fault && <p className="fault">{fault}</p>}</div>
        <button type="submit" className="primary" disabled={pending}>
          {pending ? "One moment…" : signUp ? "Sign up" : "Sign in"}
        </button>
      </form>
      <p className="aside">
        {signUp ? "Have an account? " : "New here? "}
        <Link href={signUp ? "/sign-in" : "/sign-up"}>
          {signUp ? "Sign in" : "Create an account"}
        </Link>
      </p>
    </>
  );
}
