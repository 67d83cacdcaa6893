BEGIN IMMEDIATE;

-- It was kept up to date with every use, and read once an hour, by what then removes most of the table.
DROP INDEX resumptions_by_age;

PRAGMA user_version = 3;
COMMIT;
