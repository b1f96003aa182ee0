-- The erasure outbox. It refers to none of Better Auth's tables.

CREATE TABLE erasure (
    user_id text NOT NULL PRIMARY KEY,
    requested_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    next_at timestamptz NOT NULL,
    attempts integer NOT NULL,
    first_done_at timestamptz
);
CREATE INDEX erasure_by_next ON erasure (next_at);
