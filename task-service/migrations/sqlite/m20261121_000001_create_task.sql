-- Tasks, change numbers and request ids. The user leads every key, so that the tables can be
-- divided by user.

CREATE TABLE task (
    user_id text NOT NULL,
    id uuid_text NOT NULL,
    title text NOT NULL,
    description text NOT NULL,
    completed boolean NOT NULL,
    completed_at integer,
    priority integer NOT NULL,
    created_at integer NOT NULL,
    updated_at integer NOT NULL,
    revision integer NOT NULL,
    PRIMARY KEY (user_id, id)
);
CREATE INDEX task_by_age ON task (user_id, created_at, id);
CREATE INDEX task_by_state ON task (user_id, completed, created_at, id);

CREATE TABLE task_revision (
    user_id text NOT NULL PRIMARY KEY,
    revision integer NOT NULL
);

CREATE TABLE task_request (
    user_id text NOT NULL,
    request_id text NOT NULL,
    fingerprint blob(1) NOT NULL,
    task_id uuid_text NOT NULL,
    created_at integer NOT NULL,
    PRIMARY KEY (user_id, request_id)
);
CREATE INDEX task_request_by_age ON task_request (created_at);
