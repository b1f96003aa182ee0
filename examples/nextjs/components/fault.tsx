import { TasksError } from "@/lib/tasks";

/** An always present live region, so that screen readers announce what appears in it. */
export function Fault({ error }: { error: unknown }) {
  return <div role="alert">{error !== undefined && <div className="fault">{explain(error)}</div>}</div>;
}

function explain(error: unknown) {
  if (!(error instanceof Error)) return String(error);
  // The faults of single fields, where there are any, say more than the message.
  if (!(error instanceof TasksError) || error.fields.length === 0) return error.message;
  return (
    <ul>
      {error.fields.map(({ field, message }) => (
        <li key={field + message}>
          {field}: {message}
        </li>
      ))}
    </ul>
  );
}
