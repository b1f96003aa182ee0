"use client";

import { useOptimistic, useTransition } from "react";
import type { Task } from "@/lib/tasks";

type Props = {
  task: Task;
  onComplete: (task: Task, completed: boolean) => Promise<boolean>;
  onRemove: (task: Task) => Promise<boolean>;
};

export function TaskItem({ task, onComplete, onRemove }: Props) {
  const [pending, startTransition] = useTransition();
  // Shown ticked at once; React falls back to the task itself if the request fails.
  const [completed, setCompleted] = useOptimistic(task.completed);

  function complete(checked: boolean) {
    startTransition(async () => {
      setCompleted(checked);
      await onComplete(task, checked);
    });
  }

  function remove() {
    startTransition(async () => {
      await onRemove(task);
    });
  }

  return (
    <li className="task">
      <label className="grow">
        <input
          type="checkbox"
          checked={completed}
          onChange={(event) => complete(event.target.checked)}
        />
        <span className="title">{task.title}</span>
      </label>
      <span className="priority" data-priority={task.priority}>
        {task.priority}
        <span className="visually-hidden"> priority</span>
      </span>
      <button
        type="button"
        className="quiet"
        aria-label={`Delete ${task.title}`}
        disabled={pending}
        onClick={remove}
      >
        Delete
      </button>
    </li>
  );
}
