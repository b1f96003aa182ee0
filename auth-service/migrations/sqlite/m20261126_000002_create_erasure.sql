-- The erasure outbox. It refers to none of Better Auth's tables.

CREATE TABLE erasure (
    user_id text NOT NULL PRIMARY KEY,
    requested_at date NOT NULL,
    last_at date NOT NULL,
    next_at date NOT NULL,
    attempts integer NOT NULL,
    first_done_at date
);
CREATE INDEX erasure_by_next ON erasure (next_at);
