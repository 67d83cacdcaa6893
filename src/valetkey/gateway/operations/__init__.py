"""What each S3 operation does with the store: one file for each family."""
