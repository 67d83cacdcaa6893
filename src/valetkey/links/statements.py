"""Every SQL statement about links. Values are bound, never formatted."""

from functools import lru_cache
from typing import Final

from valetkey.processes.sqlite_file import marks_of

BEGIN_READ: Final = "BEGIN"
BEGIN_WRITE: Final = "BEGIN IMMEDIATE"
COMMIT: Final = "COMMIT"
ROLLBACK: Final = "ROLLBACK"
OPEN_CHANGE: Final = "SAVEPOINT change"
KEEP_CHANGE: Final = "RELEASE change"
UNDO_CHANGE: Final = "ROLLBACK TO change"
MOVE_LOG: Final = "PRAGMA wal_checkpoint(PASSIVE)"

_COLUMNS: Final = """
    id, account_id, access_key, user_id, grant_text, created_ms, state, uses, bytes_sent, bytes_received, objects,
    last_used_ms, number
"""

ADD_LINK: Final = """
    INSERT INTO links (
        id, account_id, access_key, user_id, bucket, key, label, grant_text, created_ms, ends_ms, state,
        max_uses, max_bytes, max_objects
    ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
ADD_TAG: Final = "INSERT INTO link_tags (account_id, name, value, number) VALUES (?, ?, ?, ?)"
REMOVE_TAGS: Final = "DELETE FROM link_tags WHERE number = ?"
FIND_LINK: Final = f"SELECT {_COLUMNS} FROM links WHERE id = ?"
COUNT_ACTIVE: Final = "SELECT count(*) FROM links WHERE state = 'active' AND ends_ms > ?"
FIND_NUMBER: Final = "SELECT number FROM links WHERE id = ?"
UPDATE_LINK: Final = """
    UPDATE links
    SET bucket = ?, key = ?, label = ?, grant_text = ?, ends_ms = ?, max_uses = ?, max_bytes = ?, max_objects = ?
    WHERE id = ?
"""
SET_STATE: Final = "UPDATE links SET state = ? WHERE id = ? AND state <> ? AND state <> 'revoked'"
REMOVE_LINK: Final = "DELETE FROM links WHERE id = ?"
REMOVE_RESUMPTIONS: Final = "DELETE FROM resumptions WHERE number = ?"

LIST_LINKS: Final = f"SELECT number, key, {_COLUMNS} FROM links"
LIST_IDS: Final = "SELECT id FROM links"
FILTERS: Final = {
    "account_id": "account_id = :account_id",
    "user": "user_id = :user",
    "bucket": "bucket = :bucket",
    "prefix": "key >= :first_key AND key < :prefix || char(1114111)",
    "label": "label = :label",
    "tag": """number IN (
        SELECT number FROM link_tags WHERE account_id = :account_id AND name = :tag_name AND value = :tag_value
    )""",
    "state": "state = :state",
    "access_key": "access_key = :access_key",
}
"""What a listing may be narrowed by."""
BEFORE: Final = "number < :number"
NEWEST_FIRST: Final = "ORDER BY number DESC LIMIT :limit"
BEHIND: Final = "(key, number) > (:key, :number)"
BY_KEY: Final = "ORDER BY key, number LIMIT :limit"
"""Of links to a prefix: in the order of the index that finds them, so that a page costs no more than a page."""
NOT_REVOKED: Final = "state <> 'revoked'"

FIND_COUNTERS: Final = """
    SELECT number, state, ends_ms, max_uses, max_bytes, max_objects, uses, bytes_sent, objects FROM links WHERE id = ?
"""
COUNT: Final = """
    UPDATE links
    SET uses = uses + ?, bytes_sent = bytes_sent + ?, objects = objects + ?, last_used_ms = MAX(IFNULL(last_used_ms, 0), ?)
    WHERE number = ?
"""
ADJUST: Final = """
    UPDATE links
    SET uses = MAX(uses + ?, 0), bytes_sent = MAX(bytes_sent + ?, 0), objects = MAX(objects + ?, 0),
        bytes_received = bytes_received + ?
    WHERE id = ?
"""
FIND_RESUMPTION: Final = """
    SELECT etag, began_ms, sent FROM resumptions WHERE number = ? AND client = ? AND key = ?
"""
REMOVE_RESUMPTION: Final = "DELETE FROM resumptions WHERE number = ? AND client = ? AND key = ?"
GO_ON: Final = "UPDATE resumptions SET sent = sent + ? WHERE number = ? AND client = ? AND key = ?"
NTH_RESUMPTION: Final = """
    SELECT number, client, key FROM resumptions WHERE (number, client, key) > (?, ?, ?)
    ORDER BY number, client, key LIMIT 1 OFFSET ?
"""
FORGET_RESUMPTIONS: Final = """
    DELETE FROM resumptions
    WHERE (number, client, key) > (?, ?, ?) AND (number, client, key) <= (?, ?, ?) AND began_ms < ?
"""

ADD_REVOKED_SIGNATURE: Final = """
    INSERT OR IGNORE INTO revoked_signatures (hash, account_id, created_ms, ends_ms) VALUES (?, ?, ?, ?)
"""
LIST_REVOKED_SIGNATURES: Final = "SELECT hash FROM revoked_signatures WHERE ends_ms > ?"
FORGET_REVOKED_SIGNATURES: Final = "DELETE FROM revoked_signatures WHERE ends_ms <= ?"
ADD_CUTOFF: Final = """
    INSERT INTO cutoffs (id, account_id, access_key, bucket, key, is_prefix, before_ms, created_ms)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""
_CUTOFF_COLUMNS: Final = "id, account_id, access_key, bucket, key, is_prefix, before_ms, created_ms"
LIST_CUTOFFS: Final = f"SELECT {_CUTOFF_COLUMNS} FROM cutoffs ORDER BY created_ms, id"
REMOVE_CUTOFF: Final = "DELETE FROM cutoffs WHERE id = ? AND account_id = ?"

_SHORT_COLUMNS: Final = "id, account_id, link_id, name, is_paused, created_ms"
ADD_SHORT: Final = """
    INSERT INTO short_addresses (digest, id, account_id, link_id, name, is_paused, created_ms)
    VALUES (?, ?, ?, ?, ?, ?, ?)
"""
FIND_SHORT: Final = f"SELECT {_SHORT_COLUMNS} FROM short_addresses WHERE digest = ?"
FIND_OWN_SHORT: Final = (
    f"SELECT digest, {_SHORT_COLUMNS} FROM short_addresses WHERE id = ? AND account_id = ?"
)
UPDATE_SHORT: Final = "UPDATE short_addresses SET link_id = ?, is_paused = ? WHERE id = ?"
REMOVE_SHORT: Final = "DELETE FROM short_addresses WHERE id = ?"
REMOVE_SHORTS_OF: Final = "DELETE FROM short_addresses WHERE account_id = ? AND link_id = ?"
LIST_SHORT_DIGESTS: Final = "SELECT digest FROM short_addresses WHERE account_id = ? AND link_id = ?"
LIST_SHORTS: Final = f"""
    SELECT {_SHORT_COLUMNS} FROM short_addresses WHERE account_id = ? AND link_id = ? ORDER BY created_ms, id
"""


def wait_for_others(ms: int) -> str:
    """Return the statement that says how long a transaction waits for another program's."""
    return f"PRAGMA busy_timeout = {ms:d}"


@lru_cache
def take_all(links: int) -> str:
    """Return the statement that takes from so many links what each is to give, if all of them have it; else nothing.

    Bound are the number, uses, bytes and instant of each, then how many they are.
    """
    return f"""
        WITH needs (number, uses, bytes, at_ms) AS (VALUES {marks_of(links, 4)})
        UPDATE links
        SET uses = links.uses + needs.uses, bytes_sent = bytes_sent + needs.bytes,
            last_used_ms = MAX(IFNULL(last_used_ms, 0), at_ms)
        FROM needs
        WHERE links.number = needs.number AND ? = (
            SELECT count(*) FROM needs CROSS JOIN links ON links.number = needs.number
            WHERE state = 'active' AND ends_ms > at_ms
                AND (max_uses IS NULL OR links.uses + needs.uses <= max_uses)
                AND (max_bytes IS NULL OR bytes_sent + needs.bytes <= max_bytes)
        )
    """


@lru_cache
def note_all(links: int) -> str:
    """Return the statement that adds to so many links what each has done.

    Bound are the id, uses, bytes sent, objects, bytes received and instant of each.
    """
    return f"""
        WITH noted (id, uses, sent, objects, received, at_ms) AS (VALUES {marks_of(links, 6)})
        UPDATE links
        SET uses = links.uses + noted.uses, bytes_sent = bytes_sent + sent, objects = links.objects + noted.objects,
            bytes_received = bytes_received + received, last_used_ms = MAX(IFNULL(last_used_ms, 0), at_ms)
        FROM noted
        WHERE links.id = noted.id
    """


@lru_cache
def begin_resumptions(clients: int) -> str:
    """Return the statement that keeps what so many clients may go on with."""
    return f"""
        INSERT OR REPLACE INTO resumptions (number, client, key, etag, began_ms, sent) VALUES {marks_of(clients, 6)}
    """
