-- The checksum of parts whose uploads named no algorithm.
BEGIN IMMEDIATE;

-- CRC64NVME, which the object gets, of a part that came with another checksum. NULL: it came with that or none.
ALTER TABLE parts ADD COLUMN crc64nvme TEXT;

PRAGMA user_version = 6;

COMMIT;
