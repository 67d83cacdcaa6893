"""Signing and verifying: pure functions of strings and instants, with no dependency at all.

Import from the modules; this file stays empty so that `import valetkey` loads the signing half only.
"""
