"""The database as it stood at one instant, as files, and back (ADR 0013).

A backup is a folder: one `<collection>.bson.gz` for each collection, as mongodump writes them, and a
`manifest.json` with counts and checksums. It has its name only when it is complete.
"""
