"""Options that commands share, as dataclasses: each field of one is an option of its own.

    @app.command()
    @expanded
    def show(context: CliContext, dead_letter_id: str) -> None: ...

is called as `show dl_0_1 --url … --json`: the context is made of the options of `Deployment`, and closed
when the command ends.
"""

import functools
import inspect
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any, get_type_hints

from waybill.cli.context import CliContext, Deployment

Command = Callable[..., None]


def expanded(command: Command) -> Command:
    """Return a command with the fields of its dataclass parameters as parameters of their own."""
    hints = get_type_hints(command, include_extras=True)
    groups = {name: kind for name, kind in hints.items() if _has_options(kind)}

    @functools.wraps(command)
    def gathered(**given: Any) -> None:  # noqa: ANN401  # whatever typer has read
        with ExitStack() as closing:
            made = {name: _made(kind, given, closing) for name, kind in groups.items()}
            command(**made, **given)

    own = [each for each in inspect.signature(command).parameters.values() if each.name not in groups]
    ordered = sorted(map(_options_of, groups.values()), key=lambda kind: kind is Deployment)  # it comes last
    options = [_option(each) for kind in ordered for each in fields(kind)]
    parameters = [each.replace(annotation=hints[each.name]) for each in own] + options
    gathered.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # what typer looks at
    gathered.__annotations__ = {each.name: each.annotation for each in parameters}
    return gathered


def _has_options(kind: Any) -> bool:  # noqa: ANN401  # any annotation
    return kind is CliContext or is_dataclass(kind)


def _options_of(kind: type) -> type:
    return Deployment if kind is CliContext else kind


def _made(kind: type, given: dict[str, Any], closing: ExitStack) -> object:
    options = _options_of(kind)
    made = options(**{each.name: given.pop(each.name) for each in fields(options)})
    return closing.enter_context(CliContext(made)) if kind is CliContext else made


def _option(of: Field[Any]) -> inspect.Parameter:
    kind = inspect.Parameter.KEYWORD_ONLY
    default = inspect.Parameter.empty if of.default is MISSING else of.default
    return inspect.Parameter(of.name, kind, default=default, annotation=of.type)
