import { redirect } from "next/navigation";
import { SignOutButton } from "@/components/sign-out-button";
import { TaskList } from "@/components/task-list";
import { getSession } from "@/lib/session";

export default async function HomePage() {
  const session = await getSession();
  if (!session) redirect("/sign-in");

  return (
    <>
      <header className="bar">
        <span className="user">{session.user.name}</span>
        <SignOutButton />
      </header>
      <main>
        <TaskList userId={session.user.id} />
      </main>
    </>
  );
}
