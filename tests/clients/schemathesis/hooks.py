"""Loaded by schemathesis: counts the answers by operation, fills in what only the drill can
know, and tells the refusals that no schema can foresee from those that it should."""

import atexit
import json
import os
import re
import unicodedata
from collections import Counter

import schemathesis

from account import ENDINGS, Account

# Correct requests that depend on more than their form: what exists, who asks, what is common.
BEYOND_A_SCHEMA = {
    "INVALID_CALLBACK_URL", "INVALID_EMAIL", "INVALID_PASSWORD", "INVALID_TOKEN",
    "METHOD_NOT_ALLOWED_DEFER_SESSION_REQUIRED", "PASSWORD_TOO_COMMON",
    "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL",
}
# Better Auth's rule for addresses is narrower than that of the format `email`.
NO_EMAIL = "[body.email] Invalid email address"
# Tokens are opaque: any text fits the schema, and only the service's own open a page. Zones
# and rules are texts that only a calendar can tell, years have ends, and some fields must
# come with others or must not.
TOLD_BY_NO_SCHEMA = {
    "page_token", "sync_token", "time_zone", "text", "after", "due_from", "due_until",
    "due_date", "due_at", "due_zone", "reminders", "recurrence", "recurrence.rule",
    "recurrence.time_zone",
}
# What comes before a field of one of many tasks.
OF_ONE = re.compile(r"^(tasks\[\d+\]|changes)\.")
LONGEST_TITLE = 200
SHORTEST_PASSWORD = 8
LONGEST_PASSWORD = 128

# With this user's tasks left out, nothing may be found: other paths belong to others.
NOT_OURS = os.environ.get("DRILL_NOT_OURS")

account = Account(os.environ["DRILL_BASE"]) if os.environ.get("DRILL_ACCOUNT") else None
answers: dict[str, Counter] = {}
turn = Counter()


if account:

    @schemathesis.auth(refresh_interval=None)
    class Session:
        """A session that lives, whatever the cases before this one did."""

        def get(self, case, context):
            return account.session()

        def set(self, case, token, context):
            case.headers = case.headers or {}
            case.headers["Authorization"] = f"Bearer {token}"


@schemathesis.hook
def before_call(context, case, kwargs):
    """Every other well-formed body gets what makes it true: the account's own secrets."""
    known = account and account.knows(case.operation.label)
    if not known or not isinstance(case.body, dict):
        return
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    turn[case.operation.label] += 1
    if turn[case.operation.label] % 2:
        case.body = {**case.body, **known}


@schemathesis.hook
def after_call(context, case, response):
    label = case.operation.label
    if response.request.method != case.operation.method.upper():
        return
    if NOT_OURS and (case.path_parameters or {}).get("user_id") == NOT_OURS:
        return
    answers.setdefault(label, Counter())[str(response.status_code)] += 1
    if account and label in ENDINGS and response.status_code == 200:
        account.forget()


@schemathesis.hook
def filter_failure(context, failure, case, response):
    kind = type(failure).__name__
    if kind == "AcceptedNegativeData":
        return not (is_padded(case.body) or has_padded_tag(case) or has_wide_password(case.body))
    if kind != "RejectedPositiveData":
        return True
    try:
        answer = response.json()
    except ValueError:
        return True
    # Which version a task is at, no schema tells.
    if answer.get("error_code") == "STALE_ETAG":
        return False
    # The first faults are reported, and how many more there are.
    if answer.get("code") == "PASSWORD_TOO_LONG" and is_longer_than_it_looks(case.body):
        return False
    fields = {OF_ONE.sub("", fault["field"]) for fault in answer.get("errors", [])} - {"request"}
    return not (answer.get("code") in BEYOND_A_SCHEMA or answer.get("message") == NO_EMAIL
                or fields and fields <= TOLD_BY_NO_SCHEMA or breaks_a_pattern(case)
                or any(map(shows_nothing, texts([case.body, case.query]))))


def breaks_a_pattern(case):
    """Whether it is not valid after all: the coverage phase of schemathesis fills in headers
    without a look at their patterns."""
    sent = case.headers or {}
    patterns = {parameter["name"]: parameter["schema"]["pattern"]
                for parameter in case.operation.definition.raw.get("parameters", [])
                if parameter.get("in") == "header" and "pattern" in parameter.get("schema", {})}
    return any(name in sent and not re.search(pattern, str(sent[name]))
               for name, pattern in patterns.items())


def texts(value):
    """All texts in a value, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from texts(list(value.values()))
    elif isinstance(value, list):
        for part in value:
            yield from texts(part)


def shows_nothing(text):
    """Whether there is nothing to see in a text that is not empty: no pattern that every
    reader of a schema understands names all such characters."""
    unseen = "\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\u034f\U0001d159"
    is_seen = lambda char: (unicodedata.category(char) not in ("Cf", "Cc", "Cn", "Zs", "Zl", "Zp")
                            and char not in unseen
                            and not unicodedata.name(char, "").startswith(
                                ("VARIATION SELECTOR", "MONGOLIAN FREE VARIATION")))
    return bool(text) and not any(map(is_seen, text))


def is_padded(body):
    """Whether its title is too long only by the white space around it, which does not count:
    the document promises less than is taken."""
    title = body.get("title") if isinstance(body, dict) else None
    return isinstance(title, str) and len(title.strip()) <= LONGEST_TITLE < len(title)


def has_padded_tag(case):
    """Whether a tag breaks its form only by the white space around it, which does not count."""
    given = [part for part in (case.query, case.body) if isinstance(part, dict)]
    lists = [part.get(name) for part in given
             for name in ("tags", "tags_any", "tags_all", "tags_none")]
    tags = [tag for tags in lists for tag in (tags if isinstance(tags, list) else [tags])]
    return any(isinstance(tag, str) and tag != tag.strip() for tag in tags)


def is_longer_than_it_looks(body):
    """Whether a password is too long only in UTF-16 units, which a schema does not count."""
    words = body.values() if isinstance(body, dict) else []
    units = lambda word: len(word.encode("utf-16-le", "surrogatepass")) // 2
    return any(isinstance(word, str) and len(word) <= LONGEST_PASSWORD < units(word)
               for word in words)


def has_wide_password(body):
    """Whether a password is too short only in characters: it is counted in UTF-16 units, as
    Better Auth does, and a schema cannot say so."""
    words = body.values() if isinstance(body, dict) else []
    return any(isinstance(word, str) and any(ord(char) > 0xFFFF for char in word)
               and len(word) < SHORTEST_PASSWORD <= len(word.encode("utf-16-le")) // 2
               for word in words)


@atexit.register
def tell():
    with open(os.environ["DRILL_ANSWERS"], "w") as file:
        json.dump(answers, file)
