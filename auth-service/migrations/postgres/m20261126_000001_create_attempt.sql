-- The rate limit counter that replicas share. Written at every sign-in and expired within minutes:
-- unlogged, as it need not survive a crash.

CREATE UNLOGGED TABLE IF NOT EXISTS "attempt" (
    "key" text NOT NULL PRIMARY KEY,
    "due" timestamptz NOT NULL
);
CREATE INDEX IF NOT EXISTS "attempt_due_idx" ON "attempt" ("due");
