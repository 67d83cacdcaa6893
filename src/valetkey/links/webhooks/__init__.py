"""Telling somebody's own server what happens to a link."""
