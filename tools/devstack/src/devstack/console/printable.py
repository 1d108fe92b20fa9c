"""Foreign text in a line for a terminal: of logs, of other programs' answers, of names of files."""


def printable(text: str) -> str:
    """Return `text` with everything that a terminal would obey, or not show, escaped."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )
