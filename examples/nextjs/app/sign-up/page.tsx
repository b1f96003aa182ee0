import type { Metadata } from "next";
import { redirect } from "next/navigation";
import { AuthForm } from "@/components/auth-form";
import { getSession } from "@/lib/session";

export const metadata: Metadata = { title: "Sign up" };

export default async function SignUpPage() {
  if (await getSession()) redirect("/");

  return (
    <main className="narrow">
      <AuthForm mode="sign-up" />
    </main>
  );
}
