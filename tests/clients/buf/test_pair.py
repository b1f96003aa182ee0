"""Accounts and tasks from a shell: the flags are those of grpcurl's users, the schema
comes from reflection."""

import time
import unittest

from curl import (
    INVALID_ARGUMENT, NOT_FOUND, OK, PERMISSION_DENIED, UNAUTHENTICATED, curl, methods, services,
)

AUTH, SESSION = "auth.v1.AuthService", "auth.v1.SessionService"
TASK, HEALTH = "task.v1.TaskService", "grpc.health.v1.Health"
NO_SUCH_TASK = "018bcfe5-687b-7aaa-8bbb-0123456789ab"


class Pair(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.ada, cls.bob = cls.sign_up("ada"), cls.sign_up("bob")

    @classmethod
    def sign_up(cls, name):
        # The database may be older than this run.
        email = f"{name}.{time.time_ns()}@example.com"
        answer = curl(f"{AUTH}/SignUp",
                      {"email": email, "password": "correct horse battery", "name": name})
        if answer.exit_code != OK:
            raise AssertionError(answer.text)
        return answer.json

    def tasks(self, method, who=None, expect=OK, **fields):
        """A call of `who`, for themselves unless a `user_id` is given."""
        who = who or self.ada
        fields.setdefault("user_id", who["user"]["id"])
        answer = curl(f"{TASK}/{method}", fields, who["accessToken"]["token"])
        self.assert_status(answer, expect)
        return answer

    def assert_status(self, answer, status, reason=None):
        self.assertEqual(answer.exit_code, 8 * status, answer.text)
        if reason:
            self.assertIn(reason.encode(), answer.detail("ErrorInfo"), answer.text)

    def test_services_and_methods_are_listed(self):
        self.assertLessEqual({AUTH, SESSION, TASK, HEALTH}, set(services()))
        self.assertLessEqual({f"{AUTH}/SignIn", f"{SESSION}/GetToken", f"{TASK}/CompleteTask"},
                             set(methods()))

    def test_health_says_serving(self):
        for name in ["", AUTH, SESSION, TASK]:
            answer = curl(f"{HEALTH}/Check", {"service": name})
            self.assert_status(answer, OK)
            self.assertEqual(answer.json["status"], "SERVING", name)

    def test_a_session_token_buys_an_access_token(self):
        answer = curl(f"{SESSION}/GetToken", {}, self.ada["sessionToken"])
        self.assert_status(answer, OK)
        fresh = answer.json["accessToken"]["token"]
        mine = {"user_id": self.ada["user"]["id"]}
        self.assert_status(curl(f"{TASK}/ListTasks", mine, fresh), OK)
        self.assert_status(curl(f"{TASK}/ListTasks", mine, self.ada["sessionToken"]),
                           UNAUTHENTICATED, "MALFORMED_TOKEN")
        self.assert_status(curl(f"{SESSION}/GetToken", {}, fresh),
                           UNAUTHENTICATED, "INVALID_SESSION")

    def test_a_task_from_creation_to_deletion(self):
        made = self.tasks("CreateTask", title=" Buy milk ", priority="PRIORITY_HIGH").json["task"]
        self.assertEqual((made["title"], made["priority"]), ("Buy milk", "PRIORITY_HIGH"))
        self.assertTrue(made["createdAt"].endswith("Z"))
        self.assertEqual(self.tasks("GetTask", id=made["id"]).json["task"], made)
        self.assertIn(made, self.tasks("ListTasks").json["tasks"])
        changed = self.tasks("UpdateTask", id=made["id"], title="Buy oat milk",
                             update_mask="title").json["task"]
        self.assertEqual(changed["title"], "Buy oat milk")
        done = self.tasks("CompleteTask", id=made["id"]).json["task"]
        self.assertTrue(done["completed"] and done["completedAt"])
        self.tasks("DeleteTask", id=made["id"])
        self.tasks("GetTask", id=made["id"], expect=NOT_FOUND)

    def test_without_a_token_no_call_passes(self):
        for method in ["CreateTask", "GetTask", "ListTasks", "DeleteTask"]:
            answer = curl(f"{TASK}/{method}", {"user_id": self.ada["user"]["id"]})
            self.assert_status(answer, UNAUTHENTICATED, "MISSING_TOKEN")

    def test_no_user_acts_for_another(self):
        answer = self.tasks("ListTasks", user_id=self.bob["user"]["id"], expect=PERMISSION_DENIED)
        self.assert_status(answer, PERMISSION_DENIED, "FORBIDDEN_USER_ACCESS")

    def test_a_task_of_another_user_is_answered_like_none(self):
        theirs = self.tasks("CreateTask", self.bob, title="Private").json["task"]["id"]
        for method in ["GetTask", "CompleteTask", "DeleteTask"]:
            answers = [self.tasks(method, id=task, expect=NOT_FOUND).json
                       for task in (theirs, NO_SUCH_TASK)]
            self.assertTrue(answers[0])
            self.assertEqual(answers[0], answers[1], method)
        self.tasks("GetTask", self.bob, id=theirs)

    def test_every_faulty_field_is_named_at_once(self):
        answer = self.tasks("CreateTask", title=" ", request_id="a b", expect=INVALID_ARGUMENT)
        for field in [b"title", b"request_id"]:
            self.assertIn(field, answer.detail("BadRequest"))


if __name__ == "__main__":
    unittest.main()
