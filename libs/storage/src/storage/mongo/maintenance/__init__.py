"""Maintenance of whole collections: snapshots, and swapping one for another."""
