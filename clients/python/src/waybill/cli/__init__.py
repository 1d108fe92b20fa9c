"""The command `waybill`: the API from a shell, built on the client."""

import gc


def main() -> None:
    """Import all commands and run one; see `waybill.cli.__main__.main`.

    What the imports make stays until the end, so the garbage collector does not look at it, again and again
    meanwhile and once more at exit: that was a quarter of the CPU of a short command.
    """
    gc.disable()
    from waybill.cli.__main__ import main as run  # noqa: PLC0415  # after the line above

    gc.freeze()
    gc.enable()
    run()
