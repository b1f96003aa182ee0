-- Security events, unless the other service has made the table in the same database. The table
-- refers to no other, as events outlive an account. Ids compare byte for byte, whatever the
-- database's language.

CREATE TABLE IF NOT EXISTS security_event (
    id text COLLATE "C" NOT NULL PRIMARY KEY,
    user_id text,
    kind text NOT NULL,
    at timestamptz NOT NULL,
    request_id text,
    session_id text,
    ip_address text,
    user_agent text,
    detail text
);
CREATE INDEX IF NOT EXISTS security_event_by_user ON security_event (user_id, id);
