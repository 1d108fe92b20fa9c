"""Foreign text in a line for a terminal: log lines, responses of other programs, file names."""


def printable(text: str) -> str:
    """Return `text` with control and invisible characters escaped."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )
