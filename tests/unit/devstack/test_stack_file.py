import json
from pathlib import Path

import pytest

from devstack.home.atomic_file import write_atomically
from devstack.home.stack_file import Member, collect, read_members, write_members


def test_the_file_has_the_documented_form(tmp_path: Path) -> None:
    children = [
        ("processor", Member(pid=5, port=8005)),
        ("processor", Member(pid=6, port=8006)),
        ("gateway", Member(pid=1, port=8080)),
    ]
    path = tmp_path / "stack.json"

    write_members(path, collect(children))

    assert json.loads(path.read_text()) == {
        "gateway": [{"pid": 1, "port": 8080}],
        "processor": [{"pid": 5, "port": 8005}, {"pid": 6, "port": 8006}],
    }
    assert read_members(path) == collect(children)


def test_no_file_means_not_up(tmp_path: Path) -> None:
    assert read_members(tmp_path / "stack.json") is None


def test_a_failed_write_keeps_the_old_content(tmp_path: Path) -> None:
    path = tmp_path / "stack.json"
    write_atomically(path, "old")

    with pytest.raises(UnicodeEncodeError):
        write_atomically(path, "\ud800")

    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
