"use client";

import { useRouter } from "next/navigation";
import { useEffect, useMemo, useRef, useState } from "react";
import { TasksError, tasksOf, type NewTask as Draft, type Task } from "@/lib/tasks";
import { Fault } from "./fault";
import { NewTask } from "./new-task";
import { TaskItem } from "./task-item";

export function TaskList({ userId }: { userId: string }) {
  const router = useRouter();
  const api = useMemo(() => tasksOf(userId), [userId]);
  const heading = useRef<HTMLHeadingElement>(null);
  const [tasks, setTasks] = useState<Task[]>();
  const [next, setNext] = useState<string>();
  const [fault, setFault] = useState<unknown>();
  const [status, setStatus] = useState("Loading…");

  /** Runs an action and shows its fault, if any; answers whether it succeeded. */
  async function attempt(action: () => Promise<void>) {
    setFault(undefined);
    try {
      await action();
      return true;
    } catch (error) {
      setFault(error);
      setStatus("");
      // The session is over: page.tsx looks again and redirects to the sign-in page.
      if (error instanceof TasksError && error.status === 401) router.refresh();
      return false;
    }
  }

  function load(page?: string) {
    setStatus("Loading…");
    return attempt(async () => {
      const found = await api.list(page);
      setTasks((before = []) => (page ? [...before, ...found.tasks] : found.tasks));
      setNext(found.next);
      setStatus(page ? `${found.tasks.length} more` : "");
    });
  }

  function add(draft: Draft) {
    return attempt(async () => {
      const added = await api.add(draft);
      setTasks((before = []) => [added, ...before]);
      setStatus(`Added ${added.title}`);
    });
  }

  function complete(task: Task, completed: boolean) {
    return attempt(async () => {
      const changed = await api.complete(task.id, completed);
      setTasks((before) => before?.map((each) => (each.id === changed.id ? changed : each)));
      setStatus(`${changed.completed ? "Completed" : "Reopened"} ${changed.title}`);
    });
  }

  function remove(task: Task) {
    return attempt(async () => {
      await api.remove(task.id);
      setTasks((before) => before?.filter((each) => each.id !== task.id));
      setStatus(`Deleted ${task.title}`);
      heading.current?.focus(); // the button that had the focus is gone
    });
  }

  useEffect(() => {
    void load();
  }, [api]);

  return (
    <>
      <h1 ref={heading} tabIndex={-1}>
        Tasks
      </h1>
      <NewTask onAdd={add} />
      <Fault error={fault} />
      <p role="status" className={tasks ? "visually-hidden" : "aside"}>
        {status}
      </p>
      {!tasks && fault !== undefined && (
        <button type="button" onClick={() => load()}>
          Try again
        </button>
      )}
      {tasks?.length === 0 && <p className="empty">Nothing to do yet. Add your first task above.</p>}
      {tasks && tasks.length > 0 && (
        <ul className="tasks" aria-label="Tasks">
          {tasks.map((task) => (
            <TaskItem key={task.id} task={task} onComplete={complete} onRemove={remove} />
          ))}
        </ul>
      )}
      {next && (
        <button type="button" onClick={() => load(next)}>
          Show more
        </button>
      )}
    </>
  );
}
