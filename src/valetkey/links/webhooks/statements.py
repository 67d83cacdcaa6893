"""The SQL of webhooks; values are bound."""

from __future__ import annotations

from typing import Final

TELL_ONCE: Final = "INSERT OR IGNORE INTO hooks_told (link, event, at_ms) VALUES (?, ?, ?)"
COUNT_REFUSALS: Final = (
    "INSERT INTO hook_refusals (link, number) VALUES (?, ?) "
    "ON CONFLICT (link) DO UPDATE SET number = number + excluded.number RETURNING number"
)
COUNT_WAITING: Final = "SELECT count(*) FROM hook_deliveries"
COUNT_OF_ACCOUNT: Final = "SELECT count(*) FROM hook_deliveries WHERE account = ?"
ADD: Final = (
    "INSERT INTO hook_deliveries (account, link, url, body, created_ms, due_ms) VALUES (?, ?, ?, ?, ?, ?)"
)
DUE: Final = "SELECT id, account, url, body, created_ms, tries FROM hook_deliveries WHERE due_ms <= ? ORDER BY due_ms LIMIT ?"
LATER: Final = "UPDATE hook_deliveries SET due_ms = ?, tries = tries + 1 WHERE id = ?"
DONE: Final = "DELETE FROM hook_deliveries WHERE id = ?"
