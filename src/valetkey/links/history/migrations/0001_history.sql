BEGIN IMMEDIATE;

-- Whoever signs or owns. An account's root has an empty user name, and so has an account that owns a bucket.
CREATE TABLE parties (
    id INTEGER PRIMARY KEY,
    account TEXT NOT NULL,
    user TEXT NOT NULL,
    UNIQUE (account, user)
);

CREATE TABLE attempts (
    id INTEGER PRIMARY KEY AUTOINCREMENT, -- in the order of writing
    at_ms INTEGER NOT NULL,               -- since the epoch
    signer TEXT NOT NULL,                 -- a link's id or an access key's
    is_proved INTEGER NOT NULL,           -- 0: the signature was not found right; anybody may have written the URL
    party INTEGER NOT NULL,               -- whose key it is
    account INTEGER NOT NULL,             -- the party that is that one's account
    owner INTEGER NOT NULL,               -- the party that owns the bucket
    operation TEXT,
    bucket TEXT,
    key TEXT,
    status INTEGER NOT NULL,              -- 0: the client left before an answer
    sent_bytes INTEGER NOT NULL,
    received_bytes INTEGER NOT NULL,
    duration_us INTEGER NOT NULL,
    address TEXT NOT NULL,
    agent TEXT NOT NULL,
    referrer TEXT NOT NULL,               -- the host alone
    error TEXT,                           -- the rule that refused
    request_id TEXT NOT NULL
);

CREATE INDEX by_time ON attempts (at_ms);
CREATE INDEX by_signer ON attempts (signer, at_ms);
CREATE INDEX by_bucket ON attempts (bucket, at_ms);
CREATE INDEX by_account ON attempts (account, at_ms);

-- Most of what an account signs, its root signs, for a bucket of its own: that is found by the account.
CREATE INDEX by_party ON attempts (party, at_ms) WHERE party <> account;
CREATE INDEX by_owner ON attempts (owner, at_ms) WHERE owner <> account;

CREATE INDEX refused_by_time ON attempts (at_ms) WHERE error IS NOT NULL;
CREATE INDEX refused_by_signer ON attempts (signer, at_ms) WHERE error IS NOT NULL;
CREATE INDEX refused_by_bucket ON attempts (bucket, at_ms) WHERE error IS NOT NULL;
CREATE INDEX refused_by_party ON attempts (party, at_ms) WHERE error IS NOT NULL;
CREATE INDEX refused_by_account ON attempts (account, at_ms) WHERE error IS NOT NULL;
CREATE INDEX refused_by_owner ON attempts (owner, at_ms) WHERE error IS NOT NULL;

PRAGMA user_version = 1;
COMMIT;
