-- Whose an object is, and what its access control list grants.
BEGIN IMMEDIATE;

-- NULL: nobody but the owner has any right.
ALTER TABLE contents ADD COLUMN acl TEXT;

-- NULL: the bucket's owner. Beside the columns that a listing walks over, as it shows owners.
ALTER TABLE objects ADD COLUMN owner_id TEXT;
ALTER TABLE versions ADD COLUMN owner_id TEXT;

ALTER TABLE uploads ADD COLUMN owner_id TEXT;
ALTER TABLE uploads ADD COLUMN initiator_id TEXT;
ALTER TABLE uploads ADD COLUMN acl TEXT;

-- Up to now every bucket was like that, without saying so. One that says nothing has lists from now on.
INSERT INTO bucket_settings (bucket_id, name, document)
    SELECT id, 'ownershipControls',
           '<?xml version="1.0" encoding="UTF-8"?>' || char(10)
           || '<OwnershipControls xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
           || '<Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule></OwnershipControls>'
    FROM buckets;

PRAGMA user_version = 4;

COMMIT;
