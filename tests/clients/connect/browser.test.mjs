import assert from "node:assert/strict";
import { test } from "node:test";
import { Code } from "@connectrpc/connect";
import { ADDRESS, signUp, tasks } from "./session.mjs";

test("every faulty field is named", async () => {
  const ada = await signUp("ada");
  const call = tasks.createTask({ userId: ada.id, title: " ", description: "\0" }, ada.access);
  await assert.rejects(call, (error) => {
    assert.equal(error.code, Code.InvalidArgument);
    assert.match(error.rawMessage, /title .*; description /);
    return true;
  });
});

test("a page of another site may call only if it is trusted", async () => {
  const preflight = (origin) =>
    fetch(`${ADDRESS}/task.v1.TaskService/ListTasks`, {
      method: "OPTIONS",
      headers: {
        origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type,x-grpc-web,x-user-agent",
      },
    });
  const trusted = await preflight("http://localhost:3000");
  assert.equal(trusted.headers.get("access-control-allow-origin"), "http://localhost:3000");
  const allowed = trusted.headers.get("access-control-allow-headers").split(",");
  for (const header of ["authorization", "content-type", "x-grpc-web", "x-user-agent"]) {
    assert.ok(allowed.includes(header), header);
  }
  const stranger = await preflight("http://localhost:3000.example.com");
  assert.equal(stranger.headers.get("access-control-allow-origin"), null);
});
