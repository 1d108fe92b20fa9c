"""The guard: a ratio below its floor is named, and all floors are of measured ratios."""

from bench.check import DRAIN, PEER, ROUTED, SINGLE, SLOWEST, WHOLE, floors, verdict
from bench.contenders import CONTENDERS, OURS


def test_every_ratio_has_a_floor() -> None:
    peers = {f"{PEER}{each.library}" for each in CONTENDERS if each.library not in (OURS, SLOWEST)}
    assert floors().keys() == {DRAIN, WHOLE, SINGLE, ROUTED} | peers


def test_a_ratio_below_its_floor_is_named() -> None:
    lines = list(verdict({WHOLE: 0.61, DRAIN: 0.59}, {WHOLE: 0.6, DRAIN: 0.6}))
    assert [holds for _, holds in lines] == [True, False]
    assert [line.endswith("BELOW") for line, _ in lines] == [False, True]


def test_a_floor_that_is_just_met_holds() -> None:
    assert all(holds for _, holds in verdict({WHOLE: 0.6}, {WHOLE: 0.6}))
