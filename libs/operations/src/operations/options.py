"""Options that commands share, as dataclasses: each field of one is an option of its own.

    @app.command()
    @expanded
    def show(deployment: Deployment, dead_letter_id: str) -> None: ...

is called as `show dl_0_1 --url … --json`.
"""

import functools
import inspect
from collections.abc import Callable
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from typing import Annotated, Any, Final, get_type_hints

import typer

Command = Callable[..., None]

DEFAULT_URL: Final = "http://localhost:8080"


@dataclass(frozen=True, slots=True)
class Deployment:
    """The Waybill to work on, and the output format."""

    url: Annotated[str, typer.Option(envvar="WAYBILL_URL", help="Address of Waybill.")] = DEFAULT_URL
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False


def expanded(command: Command) -> Command:
    """Return a command with the fields of its dataclass parameters as parameters of their own."""
    hints = get_type_hints(command, include_extras=True)
    groups = {name: kind for name, kind in hints.items() if is_dataclass(kind)}

    @functools.wraps(command)
    def gathered(**given: Any) -> None:  # noqa: ANN401  # whatever typer has read
        made = {
            name: kind(**{each.name: given.pop(each.name) for each in fields(kind)})  # type: ignore[operator]  # a class
            for name, kind in groups.items()
        }
        command(**made, **given)

    own = [each for each in inspect.signature(command).parameters.values() if each.name not in groups]
    options = [_option(each) for kind in groups.values() for each in fields(kind)]
    parameters = [each.replace(annotation=hints[each.name]) for each in own] + options
    gathered.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # what typer looks at
    gathered.__annotations__ = {each.name: each.annotation for each in parameters}
    return gathered


def _option(of: Field[Any]) -> inspect.Parameter:
    kind = inspect.Parameter.KEYWORD_ONLY
    default = inspect.Parameter.empty if of.default is MISSING else of.default
    return inspect.Parameter(of.name, kind, default=default, annotation=of.type)
