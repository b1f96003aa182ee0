import assert from "node:assert/strict";
import { test } from "node:test";
import { Code } from "@connectrpc/connect";
import { Priority } from "./generated/task/v1/task_pb.js";
import { bearer, signUp, tasks } from "./session.mjs";

test("tasks are made and listed, newest first", async () => {
  const ada = await signUp("ada");
  const first = { userId: ada.id, title: "Water the tulips", priority: Priority.HIGH };
  const { task } = await tasks.createTask(first, ada.access);
  assert.equal(task.title, "Water the tulips");
  assert.equal(task.priority, Priority.HIGH);
  assert.equal(task.completed, false);
  await tasks.createTask({ userId: ada.id, title: "Ποτίζω 🌷" }, ada.access);
  const page = await tasks.listTasks({ userId: ada.id }, ada.access);
  assert.deepEqual(
    page.tasks.map(({ title }) => title),
    ["Ποτίζω 🌷", "Water the tulips"],
  );
  assert.equal(page.nextPageToken, "");
});

test("a task is completed and deleted", async () => {
  const ada = await signUp("ada");
  const { task } = await tasks.createTask({ userId: ada.id, title: "Rain" }, ada.access);
  const which = { userId: ada.id, id: task.id };
  const done = await tasks.completeTask(which, ada.access);
  assert.equal(done.task.completed, true);
  await tasks.deleteTask(which, ada.access);
  await assert.rejects(tasks.getTask(which, ada.access), { code: Code.NotFound });
});

test("without a token nothing is answered", async () => {
  await assert.rejects(tasks.listTasks({ userId: "somebody" }), { code: Code.Unauthenticated });
  await assert.rejects(tasks.listTasks({ userId: "somebody" }, bearer("not.a.token")), {
    code: Code.Unauthenticated,
  });
});

test("the tasks of another user are out of reach", async () => {
  const [ada, eve] = [await signUp("ada"), await signUp("eve")];
  await assert.rejects(tasks.listTasks({ userId: ada.id }, eve.access), {
    code: Code.PermissionDenied,
  });
  await assert.rejects(tasks.createTask({ userId: ada.id, title: "Eve's" }, eve.access), {
    code: Code.PermissionDenied,
  });
});
