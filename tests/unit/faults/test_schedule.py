"""A seed decides everything, and every kind of fault has its turn."""

from itertools import islice

from tests.faults.schedule import CHOICES, ELECTED_S, SESSION_S, Kind, Shape, draw


def test_a_seed_gives_the_same_schedule_again_and_another_seed_another() -> None:
    first, again, other = (list(islice(draw(seed), 50)) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_every_fault_has_its_turn_and_none_strikes_a_part_twice_at_once() -> None:
    steps = list(islice(draw(3), 2000))
    assert {(fault.kind, fault.part) for step in steps for fault in step.faults} == set(CHOICES)
    assert {len(step.faults) for step in steps} == {1, 2}
    assert all(len({fault.part for fault in step.faults}) == len(step.faults) for step in steps)


def test_redis_with_sentinels_is_failed_over_and_has_no_links() -> None:
    shape = Shape(sentinels=3)
    faults = [fault for step in islice(draw(5, shape), 2000) for fault in step.faults]
    assert {(fault.kind, fault.part) for fault in faults} == set(shape.choices)
    assert (Kind.FAILED_OVER, "redis") in set(shape.choices) - set(CHOICES)
    assert (Kind.CUT, "redis") in set(CHOICES) - set(shape.choices)
    killed = [fault for fault in faults if fault.kind is Kind.KILL]
    assert {fault.index for fault in killed if fault.part == "redis"} == {0, 1}
    assert {fault.index for fault in killed if fault.part == "redis-sentinel"} == {0, 1, 2}


def test_members_of_mongodb_step_down_and_are_struck_one_by_one_behind_links_of_their_own() -> None:
    shape = Shape(members=3, brokers=3)
    faults = [fault for step in islice(draw(6, shape), 2000) for fault in step.faults]
    struck = {(fault.kind, fault.index) for fault in faults if fault.part == "mongod"}
    assert {(kind, index) for kind in (Kind.KILL, Kind.FREEZE, Kind.CUT) for index in range(3)} < struck
    assert (Kind.STEPPED_DOWN, "mongod") in set(shape.choices) - set(CHOICES)
    assert {fault.index for fault in faults if (fault.kind, fault.part) == (Kind.KILL, "kafka")} == {0, 1, 2}
    assert not {fault.kind for fault in faults if fault.part == "kafka"} & {Kind.CUT, Kind.SILENT}
    frozen = [fault for fault in faults if (fault.kind, fault.part) == (Kind.FREEZE, "mongod")]
    assert any(fault.lasts_s > ELECTED_S for fault in frozen)


def test_processors_are_frozen_beyond_their_session_now_and_then() -> None:
    freezes = [
        fault
        for step in islice(draw(4), 500)
        for fault in step.faults
        if (fault.kind, fault.part) == (Kind.FREEZE, "processor")
    ]
    assert any(fault.lasts_s > SESSION_S for fault in freezes)
    assert any(fault.lasts_s < SESSION_S for fault in freezes)
    assert {fault.index for fault in freezes} == {0, 1}
