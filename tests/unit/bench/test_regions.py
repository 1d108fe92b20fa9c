"""The model of two regions: procedures lose nothing, and it sees the damage where they are not followed."""

import pytest
from bench.regions.failures import ALTERNATIVES, LOSING, MISTAKES, PROCEDURES, Damage, World
from bench.regions.world import Mirror, Record, Region, Store, folded

SEEDS = range(100)


def damages(name: str) -> list[Damage]:
    failure = (PROCEDURES | MISTAKES | ALTERNATIVES)[name]
    return [failure(World(seed)) for seed in SEEDS]


@pytest.mark.parametrize("name", PROCEDURES)
def test_nothing_is_doubled_or_judged_otherwise_where_the_procedure_is_followed(name: str) -> None:
    assert {(each.doubled, each.wrong) for each in damages(name)} == {(0, 0)}


@pytest.mark.parametrize("name", [name for name in PROCEDURES if name not in LOSING])
def test_nothing_is_lost_where_the_procedure_is_followed(name: str) -> None:
    assert {each.lost for each in damages(name)} == {0}


@pytest.mark.parametrize("name", ["link cut, nothing taken up", "planned switch", "mirror restarted"])
def test_a_link_or_a_planned_switch_leaves_no_shipment_behind(name: str) -> None:
    assert {(each.unfinished, each.changed) for each in damages(name)} == {(0, 0)}


def test_a_region_that_is_lost_for_ever_takes_what_was_not_mirrored_with_it_and_no_more() -> None:
    lost = 0
    for seed in SEEDS:
        world = World(seed)
        damage = PROCEDURES["region lost for ever"](world)
        assert damage.lost <= len(world.mirror.missing)
        lost += damage.lost
    assert lost > 0


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("disks return, early events not held", "unfinished"),
        ("disks return, the log is thrown away", "lost"),
        ("both accept, one log is thrown away", "lost"),
        ("planned switch that does not wait", "lost"),
        ("return to the store that was left", "wrong"),
        ("mirror at least once, not held", "wrong"),
        ("fence taken as it is", "wrong"),
        ("mirror read from its start, not held", "wrong"),
    ],
)
def test_each_mistake_does_its_damage(name: str, kind: str) -> None:
    assert any(getattr(each, kind) for each in damages(name))


def test_a_fence_that_is_translated_exactly_judges_nothing_otherwise() -> None:
    assert {(each.doubled, each.wrong) for each in damages("fence translated exactly")} == {(0, 0)}


def test_an_event_that_was_applied_twice_is_seen() -> None:
    world = World(0)
    scan = Record(shipment=1, step=1)
    store = Store()
    store.take(scan, 0)
    store.history.append(scan)

    assert world.damage(store, [scan]).doubled == 1


def test_a_record_that_is_read_again_is_not_judged_again() -> None:
    early, first = Record(1, 2), Record(1, 1)
    region = Region(log=[early, first])
    region.drain()
    region.restart()
    region.drain()

    assert region.store.outcomes == folded([early, first], holds=False).outcomes
    assert not region.store.outcomes[early].applied


@pytest.mark.parametrize(("exactly_once", "copies"), [(True, 3), (False, 6)])
def test_a_mirror_repeats_after_a_restart_unless_it_is_exactly_once(
    *, exactly_once: bool, copies: int
) -> None:
    source, target = Region(log=[Record(1, 1), Record(1, 2), Record(1, 3)]), Region()
    mirror = Mirror(source, target, exactly_once=exactly_once)
    mirror.drain()
    mirror.restart()
    mirror.drain()

    assert len(target.log) == copies
