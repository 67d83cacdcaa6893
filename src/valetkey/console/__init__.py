"""What the people who run the store do in it: accounts, users, keys and policies."""
