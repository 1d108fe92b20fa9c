"""Backups on disk: written under a temporary name, renamed when complete, verified before use."""

import gzip
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Final, Self, cast

from bson import decode_file_iter
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument

from domain.errors import WaybillError

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
_PREFIX: Final = "waybill-"
_PARTIAL: Final = ".partial-"
_FASTEST: Final = 1
_BLOCK: Final = 1024 * 1024
_RAW: Final = CodecOptions(document_class=RawBSONDocument)


class Damaged(WaybillError):
    """The backup differs from its manifest, or has none."""


@dataclass(frozen=True, slots=True)
class Part:
    """One collection: number of documents, size as BSON in bytes, and digest of the file."""

    documents: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """Content of a backup, by collection."""

    database: str
    taken_at: str
    parts: dict[str, Part]
    format: int = FORMAT


class Draft:
    """Backup in progress."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._parts: dict[str, Part] = {}

    @contextmanager
    def part(self, collection: str) -> Iterator["Writer"]:
        """Open the file of a collection."""
        path = self._folder / _file_of(collection)
        with path.open("xb") as file:
            # Without a name and a time in it, equal documents make equal files.
            with gzip.GzipFile("", "wb", _FASTEST, file, mtime=0) as packed:
                writer = Writer(packed)
                yield writer
            file.flush()
            os.fsync(file.fileno())
        self._parts[collection] = Part(writer.documents, writer.bytes, _digest(path))

    def finish(self, database: str, taken_at: datetime) -> None:
        """Write the manifest, last of all."""
        manifest = Manifest(database, taken_at.isoformat(), self._parts)
        with (self._folder / MANIFEST).open("x") as file:
            json.dump(asdict(manifest), file, indent=1, sort_keys=True)
            file.flush()
            os.fsync(file.fileno())


class Writer:
    """Writer of BSON documents as MongoDB sends them, back to back."""

    def __init__(self, packed: gzip.GzipFile) -> None:
        self._packed = packed
        self.documents = 0
        self.bytes = 0

    def add(self, batch: bytes) -> None:
        """Write a batch, and count its documents: each begins with its size."""
        self._packed.write(batch)
        self.bytes += len(batch)
        place = 0
        while place < len(batch):
            place += int.from_bytes(batch[place : place + 4], "little")
            self.documents += 1


@dataclass(frozen=True, slots=True)
class Archive:
    """Complete backup."""

    path: Path
    manifest: Manifest

    @classmethod
    def at(cls, path: Path) -> Self:
        """Open a backup.

        Raises:
            Damaged: there is none, or its manifest cannot be read.
        """
        try:
            fields: dict[str, Any] = json.loads((path / MANIFEST).read_text())
            parts = {name: Part(**part) for name, part in fields.pop("parts").items()}
            manifest = Manifest(parts=parts, **fields)
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise Damaged(f"{path} is no backup: {error}") from error
        if manifest.format != FORMAT:
            raise Damaged(f"{path} has format {manifest.format}; this release knows {FORMAT}")
        return cls(path, manifest)

    @property
    def taken_at(self) -> datetime:
        """Start time of the backup."""
        return datetime.fromisoformat(self.manifest.taken_at)

    def documents(self, collection: str) -> Iterator[RawBSONDocument]:
        """Yield the documents of a collection, byte for byte."""
        with gzip.open(self.path / _file_of(collection)) as file:
            yield from decode_file_iter(cast("IO[bytes]", file), _RAW)

    def verify(self) -> None:
        """Compare every file with the manifest.

        Raises:
            Damaged: a file is missing, or differs.
        """
        for collection, part in self.manifest.parts.items():
            path = self.path / _file_of(collection)
            if not path.is_file():
                raise Damaged(f"{path} is missing")
            if _digest(path) != part.sha256:
                raise Damaged(f"{path} is not what was written: its checksum differs")


@contextmanager
def drafting(directory: Path, now: datetime) -> Iterator[tuple[Draft, Path]]:
    """Yield a draft and the path that it is renamed to when the body succeeds.

    Incomplete backups of earlier runs are removed: there is one writer at a time.
    """
    directory.mkdir(parents=True, exist_ok=True)
    for left in directory.glob(f"{_PARTIAL}*"):
        shutil.rmtree(left)
    final = directory / f"{_PREFIX}{now.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    partial = directory / f"{_PARTIAL}{final.name}"
    partial.mkdir()
    try:
        yield Draft(partial), final
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    partial.rename(final)
    _sync(directory)


def archives_in(directory: Path) -> list[Archive]:
    """Return the complete backups, newest first."""
    return [Archive.at(path) for path in sorted(directory.glob(f"{_PREFIX}*"), reverse=True)]


def prune(directory: Path, *, keep: int) -> list[Path]:
    """Remove all but the newest `keep` backups; return the removed paths."""
    removed = [archive.path for archive in archives_in(directory)[keep:]]
    for path in removed:
        # Renamed first: what is half removed must not pass for a backup.
        condemned = path.rename(path.with_name(f"{_PARTIAL}{path.name}"))
        shutil.rmtree(condemned)
    return removed


def _file_of(collection: str) -> str:
    return f"{collection}.bson.gz"


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := _read(file):
            digest.update(block)
    return digest.hexdigest()


def _read(file: IO[bytes]) -> bytes:
    return file.read(_BLOCK)


def _sync(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
