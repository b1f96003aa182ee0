-- Last uses and replaced tokens of sessions. Ids are text whatever they are in Better Auth's
-- tables, and nothing refers to those: the cleanup job removes the rows of ended sessions.

CREATE TABLE session_use (
    session_id text NOT NULL PRIMARY KEY,
    user_id text NOT NULL,
    last_used_at date NOT NULL
);
CREATE INDEX session_use_by_user ON session_use (user_id);
CREATE TABLE rotated_token (
    token_hash text NOT NULL PRIMARY KEY,
    successor_hash text NOT NULL,
    session_id text NOT NULL,
    user_id text NOT NULL,
    rotated_at date NOT NULL
);
CREATE INDEX rotated_token_by_session ON rotated_token (session_id, rotated_at);
CREATE INDEX rotated_token_by_user ON rotated_token (user_id);
CREATE INDEX rotated_token_by_age ON rotated_token (rotated_at);
