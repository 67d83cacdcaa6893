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

FIND_BUCKET: Final = "SELECT id, name, created_ms FROM buckets WHERE name = ?"
LIST_BUCKETS: Final = "SELECT id, name, created_ms FROM buckets ORDER BY name"
ADD_BUCKET: Final = "INSERT INTO buckets (name, created_ms) VALUES (?, ?)"
REMOVE_BUCKET: Final = "DELETE FROM buckets WHERE id = ?"
HAS_OBJECTS: Final = "SELECT EXISTS (SELECT 1 FROM objects WHERE bucket_id = ?)"

# Objects

# One statement, so that what it finds belongs together: no row means no bucket, a NULL content_id no object.
FIND_OBJECT: Final = """
    SELECT objects.content_id, objects.size, objects.etag, objects.modified_ms,
           objects.checksum_algorithm, objects.checksum_value, objects.checksum_type,
           contents.headers, contents.parts_count, contents.bytes
    FROM buckets
    LEFT JOIN objects ON objects.bucket_id = buckets.id AND objects.key = ?2
    LEFT JOIN contents ON contents.id = objects.content_id
    WHERE buckets.name = ?1
"""
FIND_CURRENT: Final = """
    SELECT objects.content_id, objects.etag, contents.bytes IS NOT NULL
    FROM objects JOIN contents ON contents.id = objects.content_id
    WHERE objects.bucket_id = ? AND objects.key = ?
"""
PUT_OBJECT: Final = """
    INSERT OR REPLACE INTO objects
        (bucket_id, key, size, etag, modified_ms, storage_class,
         checksum_algorithm, checksum_value, checksum_type, content_id)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
REMOVE_OBJECT: Final = "DELETE FROM objects WHERE bucket_id = ? AND key = ?"
SCAN_OBJECTS: Final = """
    SELECT key, size, etag, modified_ms, storage_class, checksum_algorithm, checksum_value, checksum_type
    FROM objects
    WHERE bucket_id = ? AND key >= ? AND key < ?
    ORDER BY key
"""

# Contents

ADD_CONTENT: Final = "INSERT INTO contents (headers, parts_count, bytes) VALUES (?, ?, ?)"
REMOVE_CONTENT: Final = "DELETE FROM contents WHERE id = ?"
ADD_SEGMENT: Final = "INSERT INTO segments (content_id, number, blob_id, size) VALUES (?, ?, ?, ?)"
LIST_SEGMENTS: Final = "SELECT blob_id, size FROM segments WHERE content_id = ? ORDER BY number"
REMOVE_SEGMENTS: Final = "DELETE FROM segments WHERE content_id = ?"
IS_SHARED: Final = "SELECT EXISTS (SELECT 1 FROM segments WHERE blob_id = ? AND content_id <> ?)"
IS_NAMED: Final = """
    SELECT EXISTS (SELECT 1 FROM segments WHERE blob_id = ?1) OR EXISTS (SELECT 1 FROM parts WHERE blob_id = ?1)
"""
DOOM_CONTENT: Final = "INSERT INTO doomed (content_id) VALUES (?)"
LIST_DOOMED: Final = "SELECT content_id FROM doomed"
FORGET_DOOMED: Final = "DELETE FROM doomed WHERE content_id = ?"

# Multipart uploads

ADD_UPLOAD: Final = """
    INSERT INTO uploads (id, bucket_id, key, created_ms, headers, checksum_algorithm, checksum_type)
    VALUES (?, ?, ?, ?, ?, ?, ?)
"""
FIND_UPLOAD: Final = """
    SELECT key, id, created_ms, headers, checksum_algorithm, checksum_type
    FROM uploads WHERE id = ? AND bucket_id = ? AND key = ?
"""
IS_UPLOAD: Final = "SELECT EXISTS (SELECT 1 FROM uploads WHERE id = ?)"
SCAN_UPLOADS: Final = """
    SELECT key, id, created_ms, headers, checksum_algorithm, checksum_type
    FROM uploads
    WHERE bucket_id = ? AND (key, id) >= (?, ?) AND key < ?
    ORDER BY key, id
"""
LIST_UPLOAD_IDS: Final = "SELECT id FROM uploads WHERE bucket_id = ?"
REMOVE_UPLOAD: Final = "DELETE FROM uploads WHERE id = ?"
PUT_PART: Final = """
    INSERT OR REPLACE INTO parts
        (upload_id, number, size, etag, modified_ms, checksum_algorithm, checksum_value, checksum_type, blob_id)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
FIND_PART_BLOB: Final = "SELECT blob_id FROM parts WHERE upload_id = ? AND number = ?"
LIST_PARTS: Final = """
    SELECT number, size, etag, modified_ms, checksum_algorithm, checksum_value, checksum_type
    FROM parts WHERE upload_id = ? AND number > ? ORDER BY number LIMIT ?
"""
LIST_PART_BLOBS: Final = "SELECT number, size, etag, blob_id FROM parts WHERE upload_id = ?"
REMOVE_PARTS: Final = "DELETE FROM parts WHERE upload_id = ?"
