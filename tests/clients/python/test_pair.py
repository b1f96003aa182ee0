"""Accounts and tasks as a Python program meets them: grpcio, no generated code."""

import os
import time
import unittest

from grpc import StatusCode
from grpc_health.v1 import health_pb2, health_pb2_grpc

from stranger import Refused, Stranger

AUTH, SESSION = "auth.v1.AuthService", "auth.v1.SessionService"
TASK, HEALTH = "task.v1.TaskService", "grpc.health.v1.Health"
NO_SUCH_TASK = "018bcfe5-687b-7aaa-8bbb-0123456789ab"


class Pair(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Stranger(os.environ["SERVER"])
        cls.addClassCleanup(cls.server.close)
        cls.ada, cls.bob = cls.sign_up("ada"), cls.sign_up("bob")

    @classmethod
    def sign_up(cls, name):
        # The database may be older than this run.
        email = f"{name}.{time.time_ns()}@example.com"
        return cls.server.call(AUTH, "SignUp", email=email, name=name,
                               password="correct horse battery")

    def tasks(self, method, who=None, **fields):
        """A call of `who`, for themselves unless a `user_id` is given."""
        who = who or self.ada
        fields.setdefault("user_id", who.user.id)
        return self.server.call(TASK, method, token=who.access_token.token, **fields)

    def refusal(self, call, *arguments, **fields):
        with self.assertRaises(Refused) as caught:
            call(*arguments, **fields)
        return caught.exception

    def test_reflection_lists_every_service(self):
        self.assertLessEqual({AUTH, SESSION, TASK, HEALTH}, self.server.services())

    def test_health_says_serving_for_the_server_and_each_service(self):
        health = health_pb2_grpc.HealthStub(self.server.channel)
        for name in ["", AUTH, SESSION, TASK]:
            answer = health.Check(health_pb2.HealthCheckRequest(service=name), timeout=5)
            self.assertEqual(answer.status, health_pb2.HealthCheckResponse.SERVING, name)

    def test_sign_up_returns_both_credentials_and_they_work(self):
        self.assertEqual(len(self.ada.session_token), 32)
        self.assertTrue(self.ada.session.current)
        fresh = self.server.call(SESSION, "GetToken", token=self.ada.session_token)
        page = self.server.call(TASK, "ListTasks", token=fresh.access_token.token,
                                user_id=self.ada.user.id)
        self.assertEqual(page.next_page_token, "")

    def test_neither_credential_passes_for_the_other(self):
        refused = self.refusal(self.server.call, SESSION, "GetToken",
                               token=self.ada.access_token.token)
        self.assertEqual((refused.code, refused.reason),
                         (StatusCode.UNAUTHENTICATED, "INVALID_SESSION"))
        refused = self.refusal(self.server.call, TASK, "ListTasks", user_id=self.ada.user.id,
                               token=self.ada.session_token)
        self.assertEqual((refused.code, refused.reason),
                         (StatusCode.UNAUTHENTICATED, "MALFORMED_TOKEN"))

    def test_sign_in_after_sign_up_and_not_after_sign_out(self):
        eve = self.sign_up("eve")
        wrong = self.refusal(self.server.call, AUTH, "SignIn", email=eve.user.email,
                             password="wrong horse battery")
        self.assertEqual((wrong.code, wrong.reason),
                         (StatusCode.UNAUTHENTICATED, "INVALID_EMAIL_OR_PASSWORD"))
        again = self.server.call(AUTH, "SignIn", email=eve.user.email,
                                 password="correct horse battery")
        self.assertEqual(again.user.id, eve.user.id)
        self.server.call(SESSION, "SignOut", token=again.session_token)
        ended = self.refusal(self.server.call, SESSION, "GetToken", token=again.session_token)
        self.assertEqual((ended.code, ended.reason),
                         (StatusCode.UNAUTHENTICATED, "INVALID_SESSION"))

    def test_a_task_from_creation_to_deletion(self):
        made = self.tasks("CreateTask", title=" Buy milk ", description="2 l").task
        self.assertEqual((made.title, made.user_id), ("Buy milk", self.ada.user.id))
        self.assertFalse(made.completed or made.HasField("completed_at"))
        self.assertEqual(self.tasks("GetTask", id=made.id).task, made)
        self.assertIn(made, self.tasks("ListTasks").tasks)

        done = self.tasks("CompleteTask", id=made.id).task
        self.assertTrue(done.completed and done.HasField("completed_at"))
        self.assertEqual(self.tasks("CompleteTask", id=made.id).task, done)
        self.assertIn(done, self.tasks("ListTasks", completed=True).tasks)
        self.assertNotIn(done, self.tasks("ListTasks", completed=False).tasks)

        update = {"id": made.id, "title": "Buy oat milk", "description": "not named"}
        changed = self.tasks("UpdateTask", **update, update_mask={"paths": ["title"]}).task
        self.assertEqual((changed.title, changed.description), ("Buy oat milk", "2 l"))
        stale = self.refusal(self.tasks, "UpdateTask", **update, etag=made.etag)
        self.assertEqual((stale.code, stale.reason), (StatusCode.ABORTED, "STALE_ETAG"))

        self.tasks("DeleteTask", id=made.id, etag=changed.etag)
        gone = self.refusal(self.tasks, "GetTask", id=made.id)
        self.assertEqual(gone.code, StatusCode.NOT_FOUND)

    def test_a_repeated_creation_makes_one_task(self):
        first = self.tasks("CreateTask", title="Once", request_id="request-1").task
        self.assertEqual(self.tasks("CreateTask", title="Once", request_id="request-1").task, first)
        other = self.refusal(self.tasks, "CreateTask", title="Twice", request_id="request-1")
        self.assertEqual((other.code, other.reason),
                         (StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED"))

    def test_pages_hold_every_task_once(self):
        cid = self.sign_up("cid")
        made = {self.tasks("CreateTask", cid, title=str(n)).task.id for n in range(5)}
        seen, token = [], ""
        for _ in range(3):
            page = self.tasks("ListTasks", cid, page_size=2, page_token=token)
            seen += [task.id for task in page.tasks]
            token = page.next_page_token
        self.assertEqual((len(seen), set(seen), token), (5, made, ""))

    def test_without_a_token_no_call_passes(self):
        for method in ["CreateTask", "GetTask", "ListTasks", "DeleteTask"]:
            refused = self.refusal(self.server.call, TASK, method, user_id=self.ada.user.id)
            self.assertEqual((refused.code, refused.reason),
                             (StatusCode.UNAUTHENTICATED, "MISSING_TOKEN"))
        head, _, _ = self.ada.access_token.token.rpartition(".")
        refused = self.refusal(self.server.call, TASK, "ListTasks", user_id=self.ada.user.id,
                               token=f"{head}.{'A' * 43}")
        self.assertEqual((refused.code, refused.reason),
                         (StatusCode.UNAUTHENTICATED, "INVALID_TOKEN_SIGNATURE"))

    def test_no_user_acts_for_another(self):
        refused = self.refusal(self.tasks, "ListTasks", user_id=self.bob.user.id)
        self.assertEqual((refused.code, refused.reason),
                         (StatusCode.PERMISSION_DENIED, "FORBIDDEN_USER_ACCESS"))
        refused = self.refusal(
            self.server.call, TASK, "ListTasks", token=self.ada.access_token.token,
            user_id=self.ada.user.id, metadata=[("x-user-id", self.bob.user.id)])
        self.assertEqual((refused.code, refused.reason),
                         (StatusCode.PERMISSION_DENIED, "FORBIDDEN_USER_ACCESS"))

    def test_a_task_of_another_user_is_answered_like_none(self):
        theirs = self.tasks("CreateTask", self.bob, title="Private").task
        calls = {"GetTask": {}, "CompleteTask": {}, "ReopenTask": {}, "ToggleTask": {},
                 "DeleteTask": {}, "UpdateTask": {"title": "Mine"}}
        for method, fields in calls.items():
            answers = [self.refusal(self.tasks, method, id=task, **fields).answer
                       for task in (theirs.id, NO_SUCH_TASK, "nonsense")]
            self.assertEqual(answers[0][0], StatusCode.NOT_FOUND, method)
            self.assertEqual(answers, [answers[0]] * 3, method)
        self.assertEqual(self.tasks("GetTask", self.bob, id=theirs.id).task, theirs)

    def test_every_faulty_field_is_named_at_once(self):
        refused = self.refusal(self.tasks, "CreateTask", title=" ", description="\0",
                               request_id="a b")
        self.assertEqual(refused.code, StatusCode.INVALID_ARGUMENT)
        self.assertEqual(refused.fields, ["title", "description", "request_id"])
        refused = self.refusal(self.server.call, AUTH, "SignUp", email="nobody", password="short")
        self.assertEqual(refused.code, StatusCode.INVALID_ARGUMENT)
        self.assertEqual(set(refused.fields), {"email", "password"})


if __name__ == "__main__":
    unittest.main()
