"""Backups of the database as of one instant, and their restore (ADR 0013).

A backup is a folder: one `<collection>.bson.gz` for each collection, as mongodump writes them, and a
`manifest.json` with counts and checksums. The folder gets its name when the backup is complete.
"""
