BEGIN IMMEDIATE;

-- What is told of a link once has been told.
CREATE TABLE hooks_told (
    link TEXT NOT NULL,
    event TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (link, event)
) WITHOUT ROWID;

CREATE TABLE hook_refusals (
    link TEXT PRIMARY KEY,
    number INTEGER NOT NULL
) WITHOUT ROWID;

-- What waits to be delivered. The body is sent as it stands here, however often.
CREATE TABLE hook_deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account TEXT NOT NULL,
    link TEXT NOT NULL,
    url TEXT NOT NULL,
    body TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    due_ms INTEGER NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0
);

CREATE INDEX hook_deliveries_due ON hook_deliveries (due_ms);
CREATE INDEX hook_deliveries_of_accounts ON hook_deliveries (account);

PRAGMA user_version = 2;
COMMIT;
