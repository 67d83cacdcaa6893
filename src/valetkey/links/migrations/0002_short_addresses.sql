BEGIN IMMEDIATE;

-- Short addresses of links. The token itself is not kept: its SHA-256 finds the row.
CREATE TABLE short_addresses (
    digest     BLOB    NOT NULL PRIMARY KEY,
    id         TEXT    NOT NULL UNIQUE,
    account_id TEXT    NOT NULL,
    link_id    TEXT    NOT NULL,
    name       TEXT,
    is_paused  INTEGER NOT NULL,
    created_ms INTEGER NOT NULL
) WITHOUT ROWID;

CREATE INDEX short_addresses_of_links ON short_addresses (account_id, link_id);

PRAGMA user_version = 2;
COMMIT;
