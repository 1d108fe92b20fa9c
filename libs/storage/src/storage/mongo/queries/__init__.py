"""Reads of the query API: lists, pages, totals."""
