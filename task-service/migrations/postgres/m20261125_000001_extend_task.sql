-- Due dates, repetition, manual order, the trash, search and reminders.
--
-- Lists walk along an index each, of the tasks outside the trash alone. What only some tasks
-- have stands in `details`, so that the others are read and written as fast as ever. The service
-- computes `words` and `title_key`, those of older tasks while it serves.

-- Texts that are sorted compare byte for byte, whatever the database's language.
ALTER TABLE task ADD COLUMN title_key TEXT COLLATE "C";
ALTER TABLE task ADD COLUMN words TEXT;
ALTER TABLE task ADD COLUMN position TEXT COLLATE "C" NOT NULL DEFAULT '';
UPDATE task SET position = placed.position FROM (
    SELECT user_id, id, lpad(to_hex(row_number() OVER (
        PARTITION BY user_id ORDER BY created_at, id)), 12, '0') || 'i' AS position
    FROM task) AS placed
WHERE task.user_id = placed.user_id AND task.id = placed.id;

ALTER TABLE task ADD COLUMN due BIGINT;
ALTER TABLE task ADD COLUMN due_zone TEXT;
ALTER TABLE task ADD COLUMN details TEXT;
ALTER TABLE task ADD COLUMN series_id UUID;
ALTER TABLE task ADD COLUMN occurrence BIGINT;
ALTER TABLE task ADD COLUMN deleted_at BIGINT;
ALTER TABLE task_revision ADD COLUMN purged BIGINT NOT NULL DEFAULT 0;
ALTER TABLE task_request ADD COLUMN task_ids BYTEA;
CREATE TABLE task_reminder (
    user_id TEXT NOT NULL,
    task_id UUID NOT NULL,
    fires_at BIGINT NOT NULL,
    fired_at BIGINT,
    revision BIGINT,
    sequence BIGINT,
    PRIMARY KEY (user_id, task_id, fires_at)
);
CREATE TABLE task_sequence (name TEXT NOT NULL PRIMARY KEY, value BIGINT NOT NULL);
DROP INDEX task_by_age;
DROP INDEX task_by_state;
CREATE INDEX task_by_age ON task (user_id, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX task_by_state ON task (user_id, completed, created_at, id)
    WHERE deleted_at IS NULL;
CREATE INDEX task_by_update ON task (user_id, updated_at, id) WHERE deleted_at IS NULL;
CREATE INDEX task_by_due ON task (user_id, due, id) WHERE deleted_at IS NULL;
CREATE INDEX task_by_priority ON task (user_id, priority, id) WHERE deleted_at IS NULL;
CREATE INDEX task_by_title ON task (user_id, title_key, id) WHERE deleted_at IS NULL;
CREATE INDEX task_by_position ON task (user_id, position, id) WHERE deleted_at IS NULL;
CREATE INDEX task_by_deletion ON task (user_id, deleted_at, id)
    WHERE deleted_at IS NOT NULL;
CREATE INDEX task_in_trash ON task (deleted_at) WHERE deleted_at IS NOT NULL;
CREATE INDEX task_by_revision ON task (user_id, revision, id);
CREATE INDEX task_unindexed ON task (user_id, id) WHERE words IS NULL;
CREATE UNIQUE INDEX task_by_occurrence ON task (user_id, series_id, occurrence)
    WHERE series_id IS NOT NULL;
CREATE INDEX task_reminder_pending ON task_reminder (fires_at) WHERE fired_at IS NULL;
CREATE INDEX task_reminder_fired ON task_reminder (sequence) WHERE sequence IS NOT NULL;
CREATE INDEX task_reminder_by_revision ON task_reminder (user_id, revision)
    WHERE revision IS NOT NULL;

CREATE INDEX task_by_words ON task
    USING gin (array_to_tsvector(string_to_array(words, ' '))) WITH (fastupdate = off);
