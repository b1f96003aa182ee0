-- Fewer indexes to write.
--
-- `task_outdated` has the rows of `task_unindexed` as well, and `task_by_deletion` all of the trash.
-- Dropping takes a moment, but waits for transactions that use the table, and calls would wait
-- behind it: rather than that, the start fails and is tried again.

SET LOCAL lock_timeout = '10s';
DROP INDEX task_unindexed;
DROP INDEX task_in_trash;
