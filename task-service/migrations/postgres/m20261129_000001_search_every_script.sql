-- Search in scripts without spaces, and tags compared by their letters alone.
--
-- Nothing is computed here: rows are indexed anew while the service serves, those of replicas of
-- an older version as well, which write `words` as they always did. The index has the rows whose
-- words were made by other rules than today's, and is empty most of the time.

ALTER TABLE task ADD COLUMN phrases TEXT;
CREATE INDEX task_outdated ON task (user_id, id)
    WHERE coalesce(substr(words, 1, 2), '') <> '§2';
