"""The `valetkey` command: sign, share, serve."""
