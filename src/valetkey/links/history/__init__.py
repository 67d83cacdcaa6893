"""What became of every attempt on a presigned URL, in a file of its own: `history.sqlite` in the data folder."""
