-- Tasks, change numbers and request ids. The user leads every key, so that the tables can be
-- divided by user.

CREATE TABLE task (
    user_id text NOT NULL,
    id uuid NOT NULL,
    title text NOT NULL,
    description text NOT NULL,
    completed bool NOT NULL,
    completed_at bigint,
    priority bigint NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    revision bigint NOT NULL,
    PRIMARY KEY (user_id, id)
);
CREATE INDEX task_by_age ON task (user_id, created_at, id);
CREATE INDEX task_by_state ON task (user_id, completed, created_at, id);

CREATE TABLE task_revision (
    user_id text NOT NULL PRIMARY KEY,
    revision bigint NOT NULL
);

CREATE TABLE task_request (
    user_id text NOT NULL,
    request_id text NOT NULL,
    fingerprint bytea NOT NULL,
    task_id uuid NOT NULL,
    created_at bigint NOT NULL,
    PRIMARY KEY (user_id, request_id)
);
CREATE INDEX task_request_by_age ON task_request (created_at);
