"""A call that the API has rejected, as a page shows it: above a form that is shown again."""

from dataclasses import dataclass

from portal.console.api import ApiRejected, Problem


@dataclass(frozen=True, slots=True)
class Rejection:
    """A rejected call.

    Attributes:
        status: of HTTP.
        code: of the API.
        message: of the API, in English.
        problems: the fields that are wrong.
        request_id: of the call in the logs, if known.
    """

    status: int
    code: str
    message: str
    problems: tuple[Problem, ...]
    request_id: str | None

    def about(self, field: str) -> str:
        """Return what is wrong with a field of the request; empty: nothing is."""
        place = f"/{field}"
        own = [each.message for each in self.problems if each.pointer == place]
        inside = [
            f"{each.pointer.removeprefix(place)} {each.message}"
            for each in self.problems
            if each.pointer.startswith(f"{place}/")
        ]
        return "; ".join([*own, *inside])


def rejection_of(error: ApiRejected) -> Rejection:
    """Return a rejection for a page."""
    return Rejection(error.status, error.code, error.message, tuple(error.problems), error.request_id)
