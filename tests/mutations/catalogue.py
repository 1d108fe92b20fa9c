"""Safeguards of "nothing lost, nothing twice", each with the tests that fail without it."""

from typing import Final

from tests.mutations.applying import APPLYING
from tests.mutations.calling import CALLING
from tests.mutations.consuming import CONSUMING
from tests.mutations.fanning_out import FANNING_OUT
from tests.mutations.growing import GROWING
from tests.mutations.holding import HOLDING
from tests.mutations.importing import IMPORTING
from tests.mutations.keeping import KEEPING
from tests.mutations.mutation import Mutation
from tests.mutations.publishing import PUBLISHING
from tests.mutations.restoring import RESTORING
from tests.mutations.sharing import SHARING
from tests.mutations.storing import STORING

MUTATIONS: Final[tuple[Mutation, ...]] = (
    *STORING,
    *APPLYING,
    *SHARING,
    *HOLDING,
    *CONSUMING,
    *GROWING,
    *PUBLISHING,
    *FANNING_OUT,
    *RESTORING,
    *CALLING,
    *KEEPING,
    *IMPORTING,
)
