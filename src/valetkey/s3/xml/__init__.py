"""S3's XML: the only place where it is written or read."""
