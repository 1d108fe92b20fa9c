"""Exports of carriers, shops and warehouses, and what is expected of them."""

import io
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import openpyxl

A, B, C = "99M-GMPWC6W7SP2G", "99M-4K7TZ0Q1XN8H", "99M-A1B2C3D4E5FB"
DEPOT = """
origin_address = "Av. Vallarta 3959, Guadalajara"
origin_lat = "20.6767"
origin_lng = "-103.431"
"""
Json = dict[str, Any]


@dataclass(frozen=True)
class Export:
    """A file, the layout that reads it, and what is expected of it.

    Attributes:
        said: the format, as it is said.
        rows: what is sent, in this order.
        others: outcome and error of the other rows, by their lines from 1.
        refused: why nothing is sent; empty: something is.
    """

    name: str
    content: bytes
    said: str
    layout: str = ""
    rows: list[Json] = field(default_factory=list)
    others: dict[int, str] = field(default_factory=dict)
    refused: str = ""


def event(number: str, status: str, timestamp: str, source: str, **more: object) -> Json:
    return {"tracking_number": number, "status": status, "timestamp": timestamp, "source": source, **more}


def xlsx(title: str, *rows: list[object]) -> bytes:
    book, written = openpyxl.Workbook(), io.BytesIO()
    assert book.active is not None
    book.active.title = title
    for row in rows:
        book.active.append(row)
    book.save(written)
    return written.getvalue()


def at(*parts: int) -> datetime:
    return datetime(*parts)  # type: ignore[arg-type]  # noqa: DTZ001  # a sheet has no zones
