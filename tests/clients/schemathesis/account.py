"""An account of auth-service, signed up when needed, and again when it was used up."""

import http.client
import json
import secrets

SIGN_UP = "POST /api/auth/sign-up/email"
ENDINGS = {
    "POST /api/auth/change-password", "POST /api/auth/delete-user",
    "POST /api/auth/revoke-other-sessions", "POST /api/auth/revoke-session",
    "POST /api/auth/revoke-sessions", "POST /api/auth/sign-out",
}
PATIENCE = 20


class Account:
    def __init__(self, base):
        self._base = base
        self._password = self._token = self.email = self.access_token = self.user_id = None

    def session(self):
        """The token of a session that is open."""
        if self._token is None:
            self._sign_up()
        return self._token

    def forget(self):
        """Its session or its password may have gone: the next one who asks gets a new one."""
        self._token = None

    def knows(self, operation):
        """The members of this operation's body that only the owner can fill in."""
        self.session()
        return {
            SIGN_UP: {"email": fresh_email(), "password": fresh_password()},
            "POST /api/auth/sign-in/email": {"email": self.email, "password": self._password},
            "POST /api/auth/verify-password": {"password": self._password},
            "POST /api/auth/delete-user": {"password": self._password},
            "POST /api/auth/revoke-session": {"token": self._token},
            "POST /api/auth/change-password": {
                "currentPassword": self._password, "newPassword": fresh_password()},
        }.get(operation)

    def _sign_up(self):
        self.email, self._password = fresh_email(), fresh_password()
        body = {"name": "Ada", "email": self.email, "password": self._password}
        scheme, address = self._base.split("://")
        makers = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}
        connection = makers[scheme](address, timeout=PATIENCE)
        connection.request("POST", SIGN_UP.split()[1], json.dumps(body),
                           {"Content-Type": "application/json"})
        response = connection.getresponse()
        answer = response.read()
        connection.close()
        if response.status != 200:
            raise RuntimeError(f"no account: {response.status} {answer.decode(errors='replace')}")
        self._token = response.headers["set-auth-token"]
        self.access_token = response.headers["set-auth-jwt"]
        self.user_id = json.loads(answer)["user"]["id"]


def fresh_email():
    return f"{secrets.token_hex(8)}@drill.example"


def fresh_password():
    return secrets.token_urlsafe(15)
