-- Finished erasures, and the epoch of task-service's database.

CREATE TABLE finished_erasure (
    user_id text NOT NULL PRIMARY KEY,
    requested_at timestamptz NOT NULL
);
CREATE TABLE erased_from (
    id integer NOT NULL PRIMARY KEY,
    epoch text NOT NULL
);
