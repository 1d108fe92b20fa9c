"""Foreign text reaches the terminal as text."""

from pathlib import Path

from rich.console import Console

from devstack.console.printable import printable
from devstack.console.terminal import StackConsole


def test_control_characters_are_escaped() -> None:
    assert printable("Zoë [/x] :smile: 包裹") == "Zoë [/x] :smile: 包裹"
    assert printable("\x1b[2J\r\n\x9b\u202e\ud800") == r"\x1b[2J\r\n\x9b\u202e\ud800"


def test_a_note_neither_formats_nor_controls_the_terminal(tmp_path: Path) -> None:
    console = Console(record=True, force_terminal=True, width=200)
    StackConsole(console, file=tmp_path / "log").note("restart failed: [/x] [bold]b[/] \x1b[2J")
    assert r"[/x] [bold]b[/] \x1b[2J" in console.export_text()
    assert r"[/x] [bold]b[/] \x1b[2J" in (tmp_path / "log").read_text()
