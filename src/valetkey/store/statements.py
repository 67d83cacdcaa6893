"""Every SQL statement that reads or changes the catalog. Parameters are bound, never formatted."""

from typing import Final

# Transactions

BEGIN_READ: Final = "BEGIN"
BEGIN_WRITE: Final = "BEGIN IMMEDIATE"
COMMIT: Final = "COMMIT"
ROLLBACK: Final = "ROLLBACK"
OPEN_CHANGE: Final = "SAVEPOINT change"
KEEP_CHANGE: Final = "RELEASE change"
UNDO_CHANGE: Final = "ROLLBACK TO change"
EMPTY_LOG: Final = "PRAGMA wal_checkpoint(TRUNCATE)"
FREE_BYTES: Final = "SELECT freelist_count * page_size FROM pragma_freelist_count, pragma_page_size"
# For locks that SQLite takes by itself, such as in recovery; writers wait for each other in `write.lock`.
WAIT_LONG: Final = "PRAGMA busy_timeout = 10000"
WAIT_BRIEFLY: Final = "PRAGMA busy_timeout = 200"

# Buckets

FIND_BUCKET: Final = """
    SELECT id, name, created_ms, owner_id, versioning, is_lockable FROM buckets WHERE name = ?
"""
LIST_BUCKETS: Final = """
    SELECT id, name, created_ms, owner_id, versioning, is_lockable FROM buckets ORDER BY name
"""
ADD_BUCKET: Final = """
    INSERT INTO buckets (name, created_ms, owner_id, versioning, is_lockable) VALUES (?, ?, ?, ?, ?)
"""
REMOVE_BUCKET: Final = "DELETE FROM buckets WHERE id = ?"
SET_VERSIONING: Final = "UPDATE buckets SET versioning = ? WHERE id = ?"
ALLOW_LOCKS: Final = "UPDATE buckets SET is_lockable = 1 WHERE id = ?"
HAS_OBJECTS: Final = """
    SELECT EXISTS (SELECT 1 FROM objects WHERE bucket_id = ?1)
        OR EXISTS (SELECT 1 FROM versions WHERE bucket_id = ?1)
"""
LIST_SETTINGS: Final = "SELECT name, document FROM bucket_settings WHERE bucket_id = ?"
PUT_SETTING: Final = "INSERT OR REPLACE INTO bucket_settings (bucket_id, name, document) VALUES (?, ?, ?)"
REMOVE_SETTING: Final = "DELETE FROM bucket_settings WHERE bucket_id = ? AND name = ?"
REMOVE_SETTINGS: Final = "DELETE FROM bucket_settings WHERE bucket_id = ?"

# Objects

_OBJECT_COLUMNS: Final = """
           objects.content_id, objects.size, objects.etag, objects.modified_ms, objects.version_id,
           objects.checksum_algorithm, objects.checksum_value, objects.checksum_type,
           contents.headers, contents.parts_count, contents.tags,
           contents.lock_mode, contents.lock_until_ms, contents.legal_hold,
           contents.encryption, contents.seal, objects.owner_id, contents.acl, contents.bytes
"""
# One statement, so that what it finds belongs together: no row means no bucket, a NULL content_id no object.
FIND_OBJECT: Final = f"""
    SELECT {_OBJECT_COLUMNS}
    FROM buckets
    LEFT JOIN objects ON objects.bucket_id = buckets.id AND objects.key = ?2
    LEFT JOIN contents ON contents.id = objects.content_id
    WHERE buckets.name = ?1
"""
FIND_CURRENT_VERSION: Final = f"""
    SELECT {_OBJECT_COLUMNS}
    FROM objects JOIN contents ON contents.id = objects.content_id
    WHERE objects.bucket_id = ? AND objects.key = ? AND objects.version_id IS ?
"""
# A marker has no content. The table takes the other's name, for the same columns.
FIND_OTHER_VERSION: Final = f"""
    SELECT {_OBJECT_COLUMNS}
    FROM versions AS objects INDEXED BY versions_by_id
    LEFT JOIN contents ON contents.id = objects.content_id
    WHERE objects.bucket_id = ? AND objects.key = ? AND objects.version_id IS ?
"""
# What a change has to know of the version that it touches.
_STATE_COLUMNS: Final = """
           {table}.rank, {table}.version_id, {table}.size, {table}.etag, {table}.modified_ms,
           {table}.content_id, contents.bytes IS NOT NULL,
           contents.lock_mode, contents.lock_until_ms, contents.legal_hold
    FROM {table} {index} LEFT JOIN contents ON contents.id = {table}.content_id
    WHERE {table}.bucket_id = ? AND {table}.key = ?
"""
FIND_CURRENT: Final = "SELECT" + _STATE_COLUMNS.format(table="objects", index="")
# The same with the bucket before it: a change that places an object has to know both, and nothing else.
FIND_PLACE: Final = """
    SELECT buckets.id, buckets.versioning,
           objects.rank, objects.version_id, objects.size, objects.etag, objects.modified_ms,
           objects.content_id, contents.bytes IS NOT NULL,
           contents.lock_mode, contents.lock_until_ms, contents.legal_hold
    FROM buckets
    LEFT JOIN objects ON objects.bucket_id = buckets.id AND objects.key = ?2
    LEFT JOIN contents ON contents.id = objects.content_id
    WHERE buckets.name = ?1
"""
FIND_NEWEST_OTHER: Final = (
    "SELECT" + _STATE_COLUMNS.format(table="versions", index="") + "ORDER BY rank LIMIT 1"
)
# Left to itself, SQLite would walk over all versions of the key.
FIND_OTHER: Final = (
    "SELECT"
    + _STATE_COLUMNS.format(table="versions", index="INDEXED BY versions_by_id")
    + "AND versions.version_id IS ?"
)

_VERSION_COLUMNS: Final = """
        bucket_id, key, rank, version_id, size, etag, modified_ms, storage_class,
        checksum_algorithm, checksum_value, checksum_type, content_id, owner_id
"""
PUT_OBJECT: Final = f"""
    INSERT OR REPLACE INTO objects ({_VERSION_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
REMOVE_OBJECT: Final = "DELETE FROM objects WHERE bucket_id = ? AND key = ?"
RETIRE_OBJECT: Final = f"""
    INSERT INTO versions ({_VERSION_COLUMNS})
    SELECT {_VERSION_COLUMNS} FROM objects WHERE bucket_id = ? AND key = ?
"""
ADD_MARKER: Final = """
    INSERT INTO versions (bucket_id, key, rank, version_id, size, etag, modified_ms) VALUES (?, ?, ?, ?, 0, '', ?)
"""
PROMOTE_VERSION: Final = f"""
    INSERT INTO objects ({_VERSION_COLUMNS})
    SELECT {_VERSION_COLUMNS} FROM versions WHERE bucket_id = ? AND key = ? AND rank = ?
"""
REMOVE_VERSION: Final = "DELETE FROM versions WHERE bucket_id = ? AND key = ? AND rank = ?"
SCAN_OBJECTS: Final = """
    SELECT key, size, etag, modified_ms, storage_class, checksum_algorithm, checksum_type, owner_id
    FROM objects
    WHERE bucket_id = ? AND key >= ? AND key < ?
    ORDER BY key
"""
_LISTED_VERSIONS: Final = """
    SELECT key, rank, version_id, size, etag, modified_ms, storage_class,
           checksum_algorithm, checksum_type, owner_id, content_id
    FROM {table}
    WHERE bucket_id = ?1 AND (key, rank) >= (?2, ?3) AND key < ?4
"""
# SQLite walks over both tables in their order and merges them as it goes.
SCAN_VERSIONS: Final = (
    _LISTED_VERSIONS.format(table="objects")
    + "UNION ALL"
    + _LISTED_VERSIONS.format(table="versions")
    + "ORDER BY key, rank"
)
FIND_RANK: Final = """
    SELECT rank FROM objects WHERE bucket_id = ?1 AND key = ?2 AND version_id IS ?3
    UNION ALL
    SELECT rank FROM versions WHERE bucket_id = ?1 AND key = ?2 AND version_id IS ?3
"""

# Contents

ADD_CONTENT: Final = """
    INSERT INTO contents
        (headers, parts_count, tags, lock_mode, lock_until_ms, legal_hold, encryption, seal, acl, bytes)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
AMEND_CONTENT: Final = """
    UPDATE contents SET tags = ?, lock_mode = ?, lock_until_ms = ?, legal_hold = ?, acl = ? WHERE id = ?
"""
REMOVE_CONTENT: Final = "DELETE FROM contents WHERE id = ?"
LIST_TAGS: Final = "SELECT tags FROM contents WHERE id = ?"
ADD_SEGMENT: Final = """
    INSERT INTO segments (content_id, number, blob_id, start, size, seal) VALUES (?, ?, ?, ?, ?, ?)
"""
LIST_SEGMENTS: Final = "SELECT blob_id, start, size, seal FROM segments WHERE content_id = ? ORDER BY number"
REMOVE_SEGMENTS: Final = "DELETE FROM segments WHERE content_id = ?"
IS_NAMED: Final = "SELECT EXISTS (SELECT 1 FROM segments WHERE blob_id = ?)"
# A doomed content is there, but nobody has it.
IS_LIVE: Final = """
    SELECT EXISTS (SELECT 1 FROM contents WHERE id = ?1)
        AND NOT EXISTS (SELECT 1 FROM doomed WHERE content_id = ?1)
"""
ADD_CONTENT_PART: Final = """
    INSERT INTO content_parts (content_id, number, start, size, checksum_value) VALUES (?, ?, ?, ?, ?)
"""
COPY_CONTENT_PARTS: Final = """
    INSERT INTO content_parts (content_id, number, start, size, checksum_value)
    SELECT ?, number, start, size, checksum_value FROM content_parts WHERE content_id = ?
"""
LIST_CONTENT_PARTS: Final = """
    SELECT number, start, size, checksum_value
    FROM content_parts WHERE content_id = ? AND number > ? ORDER BY number LIMIT ?
"""
REMOVE_CONTENT_PARTS: Final = "DELETE FROM content_parts WHERE content_id = ?"
DOOM_CONTENT: Final = "INSERT INTO doomed (content_id) VALUES (?)"
LIST_DOOMED: Final = "SELECT content_id FROM doomed"
FORGET_DOOMED: Final = "DELETE FROM doomed WHERE content_id = ?"

# Multipart uploads

_UPLOAD_COLUMNS: Final = """
           key, id, created_ms, headers, checksum_algorithm, checksum_type, tags,
           lock_mode, lock_until_ms, legal_hold, encryption, seal, owner_id, initiator_id, acl, begun_by
"""
ADD_UPLOAD: Final = """
    INSERT INTO uploads
        (bucket_id, key, id, created_ms, headers, checksum_algorithm, checksum_type, tags,
         lock_mode, lock_until_ms, legal_hold, encryption, seal, owner_id, initiator_id, acl, begun_by, seen_rank)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
FIND_UPLOAD: Final = f"""
    SELECT {_UPLOAD_COLUMNS} FROM uploads WHERE id = ? AND bucket_id = ? AND key = ?
"""
FIND_SEEN_RANK: Final = "SELECT seen_rank FROM uploads WHERE id = ?"
IS_UPLOAD: Final = "SELECT EXISTS (SELECT 1 FROM uploads WHERE id = ?)"
SCAN_UPLOADS: Final = f"""
    SELECT {_UPLOAD_COLUMNS}
    FROM uploads
    WHERE bucket_id = ? AND (key, id) >= (?, ?) AND key < ?
    ORDER BY key, id
"""
LIST_OLDER: Final = """
    SELECT id FROM uploads WHERE begun_by = ? ORDER BY created_ms DESC, id DESC LIMIT -1 OFFSET ?
"""
LIST_ABANDONED: Final = """
    SELECT id FROM uploads
    WHERE begun_by IS NOT NULL AND created_ms < :before_ms
        AND NOT EXISTS (SELECT 1 FROM parts WHERE upload_id = uploads.id AND modified_ms >= :before_ms)
    LIMIT :most
"""
LIST_UPLOAD_IDS: Final = "SELECT id FROM uploads WHERE bucket_id = ?"
REMOVE_UPLOAD: Final = "DELETE FROM uploads WHERE id = ?"
PUT_PART: Final = """
    INSERT OR REPLACE INTO parts
        (upload_id, number, size, etag, modified_ms, checksum_algorithm, checksum_value, checksum_type,
         crc64nvme, content_id)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
SUM_OTHER_PARTS: Final = "SELECT coalesce(sum(size), 0) FROM parts WHERE upload_id = ? AND number <> ?"
FIND_PART_CONTENT: Final = "SELECT content_id FROM parts WHERE upload_id = ? AND number = ?"
LIST_PARTS: Final = """
    SELECT number, size, etag, modified_ms, checksum_algorithm, checksum_value, checksum_type, crc64nvme
    FROM parts WHERE upload_id = ? AND number > ? ORDER BY number LIMIT ?
"""
LIST_PART_CONTENTS: Final = """
    SELECT number, size, etag, coalesce(crc64nvme, checksum_value), content_id FROM parts WHERE upload_id = ?
"""
LIST_PART_SEGMENTS: Final = """
    SELECT parts.number, segments.blob_id, segments.start, segments.size, segments.seal
    FROM parts JOIN segments ON segments.content_id = parts.content_id
    WHERE parts.upload_id = ? ORDER BY parts.number, segments.number
"""
REMOVE_PARTS: Final = "DELETE FROM parts WHERE upload_id = ?"
REMEMBER_COMPLETED: Final = """
    INSERT INTO completed_uploads
        (id, bucket_id, key, completed_ms, etag, version_id, checksum_algorithm, checksum_value, checksum_type)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
FIND_COMPLETED: Final = """
    SELECT etag, version_id, checksum_algorithm, checksum_value, checksum_type
    FROM completed_uploads WHERE id = ? AND bucket_id = ? AND key = ?
"""
FORGET_COMPLETED: Final = "DELETE FROM completed_uploads WHERE completed_ms < ?"
