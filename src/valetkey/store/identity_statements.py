"""Every SQL statement about identities. Parameters are bound, never formatted."""

from collections.abc import Mapping
from typing import Final

# Accounts

_ACCOUNT_COLUMNS: Final = """
        accounts.id, accounts.number, accounts.name, accounts.email, accounts.created_ms,
        accounts.is_active, accounts.is_root, accounts.revoked_before_ms, accounts.public_access_block
"""
FIND_ACCOUNT: Final[Mapping[str, str]] = {
    field: f"SELECT {_ACCOUNT_COLUMNS} FROM accounts WHERE {field} = ?"
    for field in ("id", "number", "name", "email")
}
LIST_ACCOUNTS: Final = f"SELECT {_ACCOUNT_COLUMNS} FROM accounts WHERE name > ? ORDER BY name LIMIT ?"
ADD_ACCOUNT: Final = """
    INSERT INTO accounts (id, number, name, email, created_ms, is_active, is_root) VALUES (?, ?, ?, ?, ?, 1, ?)
"""
UPDATE_ACCOUNT: Final = "UPDATE accounts SET name = ?, email = ?, is_active = ? WHERE id = ?"
SET_ACCOUNT_BLOCK: Final = "UPDATE accounts SET public_access_block = ? WHERE id = ?"
REMOVE_ACCOUNT: Final = "DELETE FROM accounts WHERE id = ?"
HAS_BUCKETS: Final = "SELECT EXISTS (SELECT 1 FROM buckets WHERE owner_id = ?)"
HAS_ENTITIES: Final = """
    SELECT EXISTS (SELECT 1 FROM entities WHERE account_id = ?1)
        OR EXISTS (SELECT 1 FROM managed_policies WHERE account_id = ?1)
"""
REVOKE_ACCOUNT: Final = "UPDATE accounts SET revoked_before_ms = max(revoked_before_ms, ?) WHERE id = ?"

# Users, groups and roles

_ENTITY_COLUMNS: Final = """
        entities.id, entities.account_id, entities.name, entities.path, entities.unique_id, entities.created_ms,
        entities.tags, entities.boundary_id, boundaries.arn, entities.revoked_before_ms,
        entities.trust_policy, entities.description, entities.max_session_s, entities.trust_ids
"""
_BOUNDARIES: Final = "LEFT JOIN managed_policies AS boundaries ON boundaries.id = entities.boundary_id"
FIND_ENTITY: Final = f"""
    SELECT {_ENTITY_COLUMNS} FROM entities {_BOUNDARIES}
    WHERE entities.account_id = ? AND entities.kind = ? AND entities.name = ?
"""
FIND_ENTITY_BY_ID: Final = f"SELECT {_ENTITY_COLUMNS} FROM entities {_BOUNDARIES} WHERE entities.id = ?"
LIST_ENTITIES: Final = f"""
    SELECT {_ENTITY_COLUMNS} FROM entities {_BOUNDARIES}
    WHERE entities.account_id = ?1 AND entities.kind = ?2 AND entities.name > ?4
          AND substr(entities.path, 1, length(?3)) = ?3
    ORDER BY entities.name LIMIT ?5
"""
ADD_ENTITY: Final = """
    INSERT INTO entities
        (account_id, kind, name, path, unique_id, created_ms, tags, boundary_id,
         trust_policy, description, max_session_s, trust_ids)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
MOVE_ENTITY: Final = "UPDATE entities SET name = ?, path = ? WHERE id = ?"
SET_TAGS: Final = "UPDATE entities SET tags = ? WHERE id = ?"
SET_BOUNDARY: Final = "UPDATE entities SET boundary_id = ? WHERE id = ?"
UPDATE_ROLE: Final = """
    UPDATE entities SET trust_policy = ?, description = ?, max_session_s = ?, trust_ids = ? WHERE id = ?
"""
REVOKE_ENTITY: Final = "UPDATE entities SET revoked_before_ms = max(revoked_before_ms, ?) WHERE id = ?"
REMOVE_ENTITY: Final = "DELETE FROM entities WHERE id = ?"

# Memberships

ADD_MEMBER: Final = "INSERT OR IGNORE INTO memberships (group_id, user_id) VALUES (?, ?)"
REMOVE_MEMBER: Final = "DELETE FROM memberships WHERE group_id = ? AND user_id = ?"
COUNT_MEMBERS: Final = "SELECT count(*) FROM memberships WHERE group_id = ?"
COUNT_GROUPS: Final = "SELECT count(*) FROM memberships WHERE user_id = ?"
LIST_MEMBERS: Final = f"""
    SELECT {_ENTITY_COLUMNS}
    FROM memberships JOIN entities ON entities.id = memberships.user_id {_BOUNDARIES}
    WHERE memberships.group_id = ? AND entities.name > ? ORDER BY entities.name LIMIT ?
"""
LIST_GROUPS_OF: Final = f"""
    SELECT {_ENTITY_COLUMNS}
    FROM memberships JOIN entities ON entities.id = memberships.group_id {_BOUNDARIES}
    WHERE memberships.user_id = ? AND entities.name > ? ORDER BY entities.name LIMIT ?
"""

# Access keys

_KEY_COLUMNS: Final = """
        access_keys.id, access_keys.account_id, entities.name, access_keys.is_active, access_keys.created_ms,
        access_keys.last_used_ms, access_keys.last_used_service, access_keys.last_used_region
    FROM access_keys LEFT JOIN entities ON entities.id = access_keys.user_id
"""
FIND_KEY: Final = f"SELECT {_KEY_COLUMNS} WHERE access_keys.id = ?"
FIND_OWN_KEY: Final = f"""
    SELECT {_KEY_COLUMNS}
    WHERE access_keys.id = ? AND access_keys.account_id = ? AND access_keys.user_id IS ?
"""
LIST_KEYS: Final = f"""
    SELECT {_KEY_COLUMNS}
    WHERE access_keys.account_id = ? AND access_keys.user_id IS ? AND access_keys.id > ?
    ORDER BY access_keys.id LIMIT ?
"""
# What signs a request: nothing is found if the key or its account is not active.
FIND_SIGNER: Final = f"""
    SELECT access_keys.seal, access_keys.user_id, {_ACCOUNT_COLUMNS}
    FROM access_keys JOIN accounts ON accounts.id = access_keys.account_id
    WHERE access_keys.id = ? AND access_keys.is_active AND accounts.is_active
"""
ADD_KEY: Final = """
    INSERT INTO access_keys (id, account_id, user_id, seal, is_active, created_ms) VALUES (?, ?, ?, ?, ?, ?)
"""
SET_KEY_ACTIVE: Final = "UPDATE access_keys SET is_active = ? WHERE id = ?"
REMOVE_KEY: Final = "DELETE FROM access_keys WHERE id = ?"
REMOVE_KEYS_OF_ACCOUNT: Final = "DELETE FROM access_keys WHERE account_id = ?"
COUNT_KEYS: Final = "SELECT count(*) FROM access_keys WHERE user_id = ?"
NOTE_USE: Final = """
    UPDATE access_keys SET last_used_ms = ?2, last_used_service = ?3, last_used_region = ?4
    WHERE id = ?1 AND (last_used_ms IS NULL OR last_used_ms <= ?2 - ?5)
"""

# Inline policies

PUT_INLINE: Final = "INSERT OR REPLACE INTO inline_policies (entity_id, name, document) VALUES (?, ?, ?)"
FIND_INLINE: Final = "SELECT document FROM inline_policies WHERE entity_id = ? AND name = ?"
LIST_INLINE: Final = """
    SELECT name FROM inline_policies WHERE entity_id = ? AND name > ? ORDER BY name LIMIT ?
"""
REMOVE_INLINE: Final = "DELETE FROM inline_policies WHERE entity_id = ? AND name = ?"
COUNT_INLINE: Final = "SELECT count(*) FROM inline_policies WHERE entity_id = ?"

# Managed policies

_POLICY_COLUMNS: Final = """
        managed_policies.id, arn, name, path, unique_id, created_ms, updated_ms, description, tags,
        default_version,
        (SELECT count(*) FROM attachments WHERE policy_id = managed_policies.id) AS attachments_count,
        (SELECT count(*) FROM entities WHERE boundary_id = managed_policies.id),
        newest_version, account_id
"""
# A policy may be read from its account, and from any if it comes with the program.
FIND_POLICY: Final = f"""
    SELECT {_POLICY_COLUMNS} FROM managed_policies WHERE arn = ? AND account_id IN (?, 'aws')
"""
FIND_POLICY_NAMED: Final = f"""
    SELECT {_POLICY_COLUMNS} FROM managed_policies WHERE account_id = ? AND name = ?
"""
HAS_POLICY_NAMED: Final = """
    SELECT EXISTS (SELECT 1 FROM managed_policies WHERE account_id = ? AND name = ?)
"""
LIST_POLICIES: Final = f"""
    SELECT {_POLICY_COLUMNS} FROM managed_policies
    WHERE account_id IN (?1, ?2) AND arn > ?3 AND substr(path, 1, length(?4)) = ?4
          AND (NOT ?5 OR attachments_count > 0)
    ORDER BY arn LIMIT ?6
"""
ADD_POLICY: Final = """
    INSERT INTO managed_policies
        (account_id, arn, name, path, unique_id, created_ms, updated_ms, description, tags,
         default_version, newest_version)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7, ?8, 1, 1)
"""
UPDATE_POLICY: Final = """
    UPDATE managed_policies SET updated_ms = ?, default_version = ?, newest_version = ? WHERE id = ?
"""
REMOVE_POLICY: Final = "DELETE FROM managed_policies WHERE id = ?"
ADD_VERSION: Final = (
    "INSERT INTO policy_versions (policy_id, number, document, created_ms) VALUES (?, ?, ?, ?)"
)
FIND_VERSION: Final = """
    SELECT number, document, created_ms FROM policy_versions WHERE policy_id = ? AND number = ?
"""
LIST_VERSIONS: Final = """
    SELECT number, document, created_ms FROM policy_versions WHERE policy_id = ? ORDER BY number DESC
"""
COUNT_VERSIONS: Final = "SELECT count(*) FROM policy_versions WHERE policy_id = ?"
REMOVE_POLICY_VERSION: Final = "DELETE FROM policy_versions WHERE policy_id = ? AND number = ?"
REMOVE_POLICY_VERSIONS: Final = "DELETE FROM policy_versions WHERE policy_id = ?"

# Attachments

ATTACH: Final = "INSERT OR IGNORE INTO attachments (entity_id, policy_id) VALUES (?, ?)"
DETACH: Final = "DELETE FROM attachments WHERE entity_id = ? AND policy_id = ?"
COUNT_ATTACHED: Final = "SELECT count(*) FROM attachments WHERE entity_id = ?"
LIST_ATTACHED: Final = """
    SELECT managed_policies.name, managed_policies.arn
    FROM attachments JOIN managed_policies ON managed_policies.id = attachments.policy_id
    WHERE attachments.entity_id = ?1 AND managed_policies.arn > ?2
          AND substr(managed_policies.path, 1, length(?3)) = ?3
    ORDER BY managed_policies.arn LIMIT ?4
"""
LIST_HOLDERS: Final = """
    SELECT entities.kind, entities.name, entities.unique_id
    FROM attachments JOIN entities ON entities.id = attachments.entity_id
    WHERE attachments.policy_id = ? AND entities.account_id = ?
    ORDER BY entities.kind, entities.name
"""

# What applies to a user or a role, groups included. UNION: what is attached twice applies once.
LIST_APPLYING: Final = """
    WITH holders (id) AS (SELECT ?1 UNION SELECT group_id FROM memberships WHERE user_id = ?1)
    SELECT entities.kind || '/' || entities.name || '/' || inline_policies.name, inline_policies.document
    FROM holders
    JOIN entities ON entities.id = holders.id
    JOIN inline_policies ON inline_policies.entity_id = holders.id
    UNION
    SELECT managed_policies.arn, policy_versions.document
    FROM holders
    JOIN attachments ON attachments.entity_id = holders.id
    JOIN managed_policies ON managed_policies.id = attachments.policy_id
    JOIN policy_versions ON policy_versions.policy_id = managed_policies.id
                        AND policy_versions.number = managed_policies.default_version
    ORDER BY 1
"""
FIND_DEFAULT_DOCUMENT: Final = """
    SELECT managed_policies.arn, policy_versions.document
    FROM managed_policies
    JOIN policy_versions ON policy_versions.policy_id = managed_policies.id
                        AND policy_versions.number = managed_policies.default_version
    WHERE managed_policies.id = ?
"""
