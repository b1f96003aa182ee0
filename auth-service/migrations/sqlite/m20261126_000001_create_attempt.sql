-- The rate limit counter. There is one replica, which counts in memory; the table exists so that
-- both databases are alike.

CREATE TABLE IF NOT EXISTS "attempt" (
    "key" text NOT NULL PRIMARY KEY,
    "due" date NOT NULL
);
CREATE INDEX IF NOT EXISTS "attempt_due_idx" ON "attempt" ("due");
