-- The largest id of each table with numeric ids, since SQLite would use it again.

CREATE TABLE IF NOT EXISTS "largest_id" (
    "table_name" text NOT NULL PRIMARY KEY,
    "id" integer NOT NULL
);
