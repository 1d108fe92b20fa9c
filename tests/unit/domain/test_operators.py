"""The id of an operator action."""

import re

from domain.access.operator_actions import ActionKind, action_id

DISCARDED = ActionKind.DEAD_LETTER_DISCARDED


def test_the_same_action_has_the_same_id_and_another_has_another() -> None:
    named = [("dl_0_1", "x"), ("dl_0_1x",), ("dl_0_1", "y"), ()]
    ids = {action_id(kind, *each) for kind in ActionKind for each in named}
    assert len(ids) == len(ActionKind) * len(named)
    assert action_id(DISCARDED, "dl_0_1", "x") == action_id(DISCARDED, "dl_0_1", "x")
    assert all(re.fullmatch("act_[a-z2-7]{24}", each) for each in ids)
