"use client";

import { useRef, useState, type SubmitEvent } from "react";
import { priorities, type NewTask as Draft, type Priority } from "@/lib/tasks";

/** `onAdd` answers whether the task was added; what was typed stays if it was not. */
export function NewTask({ onAdd }: { onAdd: (task: Draft) => Promise<boolean> }) {
  const title = useRef<HTMLInputElement>(null);
  const [pending, setPending] = useState(false);

  async function submit(event: SubmitEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = event.currentTarget;
    const data = new FormData(form);
    setPending(true);
    const added = await onAdd({
      title: String(data.get("title")),
      priority: data.get("priority") as Priority,
    });
    setPending(false);
    if (added) form.reset();
    title.current?.focus();
  }

  return (
    <form className="new-task" onSubmit={submit}>
      <label className="grow">
        New task
        <input ref={title} name="title" autoComplete="off" required />
      </label>
      <label>
        Priority
        <select name="priority" defaultValue="medium">
          {priorities.map((priority) => (
            <option key={priority}>{priority}</option>
          ))}
        </select>
      </label>
      <button type="submit" className="primary" disabled={pending}>
        Add
      </button>
    </form>
  );
}
