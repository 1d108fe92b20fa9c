"""Colours of the brand: shades of its accent that can be read on the grounds of the pages (WCAG 2.2)."""

from typing import Final

TEXT: Final = 4.5
"""Contrast of text with its ground, at least."""
LINES: Final = 3.0
"""Contrast of lines and icons with their ground, at least."""
LIGHT_GROUND: Final = "#ffffff"
DARK_GROUND: Final = "#121519"
_STEPS: Final = 40
_LINEAR_UP_TO: Final = 0.04045

Channels = tuple[float, float, float]


def stylesheet(accent: str) -> str:
    """Return the colours of a brand as a stylesheet.

    Args:
        accent: its colour, `#rrggbb`. Where that has too little contrast, the nearest shade with enough is
            used in its place.
    """
    light = _variables(accent, LIGHT_GROUND, "#000000")
    dark = _variables(accent, DARK_GROUND, "#ffffff")
    return f":root{{{light}}}\n@media (prefers-color-scheme: dark){{:root{{{dark}}}}}\n"


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, from 1 to 21."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def readable(colour: str, ground: str, towards: str, wanted: float) -> str:
    """Return the shade of a colour that is nearest to it and has the wanted contrast with a ground.

    Args:
        colour: as `#rrggbb`.
        ground: the colour behind it.
        towards: the colour to mix it with, as little as possible.
        wanted: the contrast.
    """
    shades = (_mixed(colour, towards, step / _STEPS) for step in range(_STEPS + 1))
    return next(shade for shade in shades if contrast(shade, ground) >= wanted)


def _variables(accent: str, ground: str, towards: str) -> str:
    line, text = (readable(accent, ground, towards, wanted) for wanted in (LINES, TEXT))
    return f"--accent:{line};--accent-text:{text};--on-accent:{ground}"


def _luminance(colour: str) -> float:
    red, green, blue = map(_linear, _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= _LINEAR_UP_TO else ((channel + 0.055) / 1.055) ** 2.4


def _mixed(one: str, other: str, share: float) -> str:
    pairs = zip(_channels(one), _channels(other), strict=True)
    return "#" + "".join(f"{round(255 * (a + (b - a) * share)):02x}" for a, b in pairs)


def _channels(colour: str) -> Channels:
    red, green, blue = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    return red, green, blue
