-- Due dates, repetition, manual order, the trash, search and reminders.
--
-- Lists walk along an index each, of the tasks outside the trash alone. What only some tasks
-- have stands in `details`, so that the others are read and written as fast as ever. The service
-- computes `words` and `title_key`, those of older tasks while it serves.

-- The full-text index names rows by number, and only a number that is the key of its table stays
-- the same when the file is compacted: so the table is made anew.
ALTER TABLE task RENAME TO task_before;
CREATE TABLE task (
    number INTEGER PRIMARY KEY,
    user_id TEXT NOT NULL,
    id UUID_TEXT NOT NULL,
    title TEXT NOT NULL,
    description TEXT NOT NULL,
    completed BOOLEAN NOT NULL,
    completed_at BIGINT,
    priority BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    position TEXT NOT NULL,
    title_key TEXT,
    words TEXT
);
CREATE UNIQUE INDEX task_by_id ON task (user_id, id);
INSERT INTO task
    SELECT NULL, user_id, id, title, description, completed, completed_at, priority,
        created_at, updated_at, revision,
        printf('%012xi', row_number() OVER (PARTITION BY user_id ORDER BY created_at, id)),
        NULL, NULL
    FROM task_before ORDER BY created_at, id;
DROP TABLE task_before;

ALTER TABLE task ADD COLUMN due BIGINT;
ALTER TABLE task ADD COLUMN due_zone TEXT;
ALTER TABLE task ADD COLUMN details TEXT;
ALTER TABLE task ADD COLUMN series_id UUID_TEXT;
ALTER TABLE task ADD COLUMN occurrence BIGINT;
ALTER TABLE task ADD COLUMN deleted_at BIGINT;
ALTER TABLE task_revision ADD COLUMN purged BIGINT NOT NULL DEFAULT 0;
ALTER TABLE task_request ADD COLUMN task_ids BLOB;
CREATE TABLE task_reminder (
    user_id TEXT NOT NULL,
    task_id UUID_TEXT NOT NULL,
    fires_at BIGINT NOT NULL,
    fired_at BIGINT,
    revision BIGINT,
    sequence BIGINT,
    PRIMARY KEY (user_id, task_id, fires_at)
);
CREATE TABLE task_sequence (name TEXT NOT NULL PRIMARY KEY, value BIGINT NOT NULL);
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

CREATE VIRTUAL TABLE task_words USING fts5(
    words, content = '', contentless_delete = 1, tokenize = 'ascii', detail = 'none');
CREATE TRIGGER task_words_insert AFTER INSERT ON task WHEN new.words IS NOT NULL BEGIN
    INSERT INTO task_words (rowid, words) VALUES (new.number, new.words);
END;
CREATE TRIGGER task_words_update AFTER UPDATE OF words ON task
WHEN new.words IS NOT old.words BEGIN
    DELETE FROM task_words WHERE rowid = old.number;
    INSERT INTO task_words (rowid, words) VALUES (new.number, new.words);
END;
CREATE TRIGGER task_words_delete AFTER DELETE ON task WHEN old.words IS NOT NULL BEGIN
    DELETE FROM task_words WHERE rowid = old.number;
END;
