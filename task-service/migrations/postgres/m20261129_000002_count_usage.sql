-- What the tasks of each user take, and which imports are not all there yet.

ALTER TABLE task_revision ADD COLUMN tasks BIGINT NOT NULL DEFAULT 0;
ALTER TABLE task_revision ADD COLUMN bytes BIGINT NOT NULL DEFAULT 0;
UPDATE task_revision SET
    tasks = (SELECT count(*) FROM task WHERE task.user_id = task_revision.user_id),
    bytes = (SELECT coalesce(sum(octet_length(title) + octet_length(description)
            + coalesce(octet_length(details), 0)), 0)
        FROM task WHERE task.user_id = task_revision.user_id);
CREATE TABLE task_import (
    user_id TEXT NOT NULL,
    revision BIGINT NOT NULL,
    PRIMARY KEY (user_id, revision)
);
