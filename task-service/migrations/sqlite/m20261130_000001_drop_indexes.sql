-- Fewer indexes to write.
--
-- `task_outdated` has the rows of `task_unindexed` as well, and `task_by_deletion` all of the trash.

DROP INDEX task_unindexed;
DROP INDEX task_in_trash;
