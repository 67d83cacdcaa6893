"""Managed links: what a link may do, what it has done, and who asked."""
