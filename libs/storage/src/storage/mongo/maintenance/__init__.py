"""Whole collections: snapshots of them, and swapping one for another."""
