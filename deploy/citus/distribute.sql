-- Distributes the tables of task-service by user, on Citus.
--
-- Run it on the coordinator, in the database of task-service, once its workers are added and
-- task-service has migrated the tables (or a release of it is running):
--
--     psql -v ON_ERROR_STOP=1 -f distribute.sql "$DATABASE_URL"
--
-- A table that is distributed already stays as it is, so it can be repeated. task_revision comes
-- first, as changes lock their row of it first: under load they wait, and none is a deadlock's
-- victim. task_sequence, security_event and task_service_migration stay local on the coordinator,
-- and so does what other services have in the same database.

BEGIN;
SET LOCAL citus.multi_shard_modify_mode = 'sequential';
LOCK TABLE task_revision, task, task_request, task_reminder, task_import
    IN SHARE ROW EXCLUSIVE MODE;
SELECT create_distributed_table(name::regclass, 'user_id',
    colocate_with => CASE name WHEN 'task_revision' THEN 'none' ELSE 'task_revision' END)
FROM unnest(ARRAY['task_revision', 'task', 'task_request', 'task_reminder', 'task_import'])
    WITH ORDINALITY AS tables (name, place)
WHERE NOT EXISTS (SELECT FROM pg_dist_partition WHERE logicalrelid = name::regclass)
ORDER BY place;
COMMIT;

-- The rows that were copied to the workers.
SELECT truncate_local_data_after_distributing_table(name::regclass)
FROM unnest(ARRAY['task_revision', 'task', 'task_request', 'task_reminder', 'task_import']) AS name;
