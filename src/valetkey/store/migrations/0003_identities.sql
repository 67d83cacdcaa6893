-- Accounts, and the users, groups, roles, access keys and policies in them.
BEGIN IMMEDIATE;

-- Sessions that began before `revoked_before_ms` count no more.
CREATE TABLE accounts (
    id                TEXT    NOT NULL PRIMARY KEY,
    number            TEXT    NOT NULL UNIQUE,
    name              TEXT    NOT NULL UNIQUE,
    email             TEXT    COLLATE NOCASE UNIQUE,
    created_ms        INTEGER NOT NULL,
    is_active         INTEGER NOT NULL,
    is_root           INTEGER NOT NULL,
    revoked_before_ms INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

-- Users, groups and roles: `kind` says which. Of one kind, names that differ in case alone are the same name.
-- AUTOINCREMENT: what belonged to an entity that is gone never belongs to a later one.
CREATE TABLE entities (
    id                INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id        TEXT    NOT NULL,
    kind              TEXT    NOT NULL,
    name              TEXT    NOT NULL COLLATE NOCASE,
    path              TEXT    NOT NULL,
    unique_id         TEXT    NOT NULL UNIQUE,
    created_ms        INTEGER NOT NULL,
    tags              TEXT,
    boundary_id       INTEGER,
    revoked_before_ms INTEGER NOT NULL DEFAULT 0,
    -- Of roles alone.
    trust_policy      TEXT,
    description       TEXT,
    max_session_s     INTEGER
);

CREATE UNIQUE INDEX entities_by_name ON entities (account_id, kind, name);
CREATE INDEX entities_by_boundary ON entities (boundary_id) WHERE boundary_id IS NOT NULL;

CREATE TABLE memberships (
    group_id INTEGER NOT NULL,
    user_id  INTEGER NOT NULL,
    PRIMARY KEY (group_id, user_id)
) WITHOUT ROWID;

CREATE INDEX memberships_by_user ON memberships (user_id);

-- `user_id` is NULL for an account's own key. `seal` is the secret, under the master key.
CREATE TABLE access_keys (
    id                TEXT    NOT NULL PRIMARY KEY,
    account_id        TEXT    NOT NULL,
    user_id           INTEGER,
    seal              BLOB    NOT NULL,
    is_active         INTEGER NOT NULL,
    created_ms        INTEGER NOT NULL,
    last_used_ms      INTEGER,
    last_used_service TEXT,
    last_used_region  TEXT
) WITHOUT ROWID;

CREATE INDEX access_keys_by_owner ON access_keys (account_id, user_id);
CREATE INDEX access_keys_by_user ON access_keys (user_id) WHERE user_id IS NOT NULL;

CREATE TABLE inline_policies (
    entity_id INTEGER NOT NULL,
    name      TEXT    NOT NULL,
    document  TEXT    NOT NULL,
    PRIMARY KEY (entity_id, name)
) WITHOUT ROWID;

-- `account_id` is "aws" for those that come with the program. A number of a version is never given again.
CREATE TABLE managed_policies (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id      TEXT    NOT NULL,
    arn             TEXT    NOT NULL UNIQUE,
    name            TEXT    NOT NULL COLLATE NOCASE,
    path            TEXT    NOT NULL,
    unique_id       TEXT    NOT NULL,
    created_ms      INTEGER NOT NULL,
    updated_ms      INTEGER NOT NULL,
    description     TEXT,
    tags            TEXT,
    default_version INTEGER NOT NULL,
    newest_version  INTEGER NOT NULL
);

CREATE UNIQUE INDEX managed_policies_by_name ON managed_policies (account_id, name);

CREATE TABLE policy_versions (
    policy_id  INTEGER NOT NULL,
    number     INTEGER NOT NULL,
    document   TEXT    NOT NULL,
    created_ms INTEGER NOT NULL,
    PRIMARY KEY (policy_id, number)
) WITHOUT ROWID;

CREATE TABLE attachments (
    entity_id INTEGER NOT NULL,
    policy_id INTEGER NOT NULL,
    PRIMARY KEY (entity_id, policy_id)
) WITHOUT ROWID;

CREATE INDEX attachments_by_policy ON attachments (policy_id);

PRAGMA user_version = 3;

COMMIT;
