"""`dead-letters`: listed, shown, replayed and discarded."""

from collections.abc import Sequence

import pytest
import typer

from operations import replaying
from tests.unit.operations.conftest import Run
from tests.unit.operations.stand_in import Json, StandIn, page, refusal

DISCARD = {"by": "luis", "at": "2026-11-02T17:00:00.000Z", "reason": "a self-test"}


def dead_letter(index: int, *, partition: int = 0, state: str = "open", event_id: str | None = None) -> Json:
    """Return a dead letter; the higher its index, the later it stood in the log."""
    return {
        "id": f"dl_{partition}_{index}",
        "recorded_at": "2026-11-02T16:50:00.118Z",
        "state": state,
        "reason": "unreadable",
        "tracking_number": None,
        "error": "not JSON",
        "topic": "shipments.events",
        "partition": partition,
        "offset": index,
        "timestamp": f"2026-11-02T16:50:{index:02}.000Z",
        "event_id": event_id,
        "discard": DISCARD if state == "discarded" else None,
    }


def items(*ids: str, status: str = "queued") -> tuple[int, Json]:
    return 202, {"items": [{"id": each, "status": status} for each in ids]}


def sent(waybill: StandIn) -> list[Sequence[str]]:
    """Return the batches that were replayed."""
    return [each.body["ids"] for each in waybill.asked if each.body is not None]


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replaying, "BATCH", 2)


def test_filters_become_query_parameters(waybill: StandIn, run: Run) -> None:
    waybill.responses.append(page(dead_letter(1), dead_letter(0)))
    ended = run(
        *("dead-letters", "list", "--state", "open", "--reason", "unreadable", "--limit", "1"),
        *("--since", "2026-11-01T00:00:00Z", "--until", "2026-11-03T00:00:00Z"),
    )
    assert waybill.asked[0].path == (
        "/dead-letters?limit=100&reason=unreadable"
        "&from=2026-11-01T00%3A00%3A00Z&to=2026-11-03T00%3A00%3A00Z&state=open"
    )
    assert ("dl_0_1" in ended.out, "dl_0_0" in ended.out) == (True, False)


@pytest.mark.parametrize("outcome", [(200, {"outcome": "applied"}), refusal(404, "EVENT_NOT_FOUND", "none")])
def test_a_dead_letter_is_shown_with_its_event_and_history(
    waybill: StandIn, run: Run, outcome: tuple[int, Json]
) -> None:
    found = dead_letter(1, event_id="evt_1")
    action = {"action": "dead_letter.replayed", "by": "ana"}
    waybill.responses += [(200, found), outcome, page(action)]
    shown = run("dead-letters", "show", "dl_0_1", "--json").json
    assert shown == found | {"event": outcome[1] if outcome[0] == 200 else None, "history": [action]}
    assert [each.path for each in waybill.asked][1:] == [
        "/events/evt_1",
        "/operator-actions?limit=100&target=dl_0_1",
    ]


def test_matching_dead_letters_are_replayed_oldest_first_in_batches(waybill: StandIn, run: Run) -> None:
    waybill.responses += [
        page(dead_letter(4), dead_letter(3, partition=1), next_cursor="c"),
        page(dead_letter(0), dead_letter(2), dead_letter(1, partition=1)),
        items("dl_0_0", "dl_1_1"),
        items("dl_0_2", "dl_1_3"),
    ]
    ended = run("dead-letters", "replay", "--limit", "4", "--yes", "--json")
    assert waybill.asked[0].path == "/dead-letters?limit=100&state=open"
    assert sent(waybill) == [["dl_0_0", "dl_1_1"], ["dl_0_2", "dl_1_3"]]
    assert ended.json["queued"] == ["dl_0_0", "dl_1_1", "dl_0_2", "dl_1_3"]
    assert (ended.code, ended.err) == (0, "4 are in the log again\n")


def test_dead_letters_of_a_partition_keep_their_order_whatever_their_clocks_say() -> None:
    early = dead_letter(1) | {"timestamp": "2026-11-02T16:40:00.000Z"}
    ordered = replaying.oldest_first([early, dead_letter(0), dead_letter(2), dead_letter(3, partition=1)])
    assert [each["id"] for each in ordered] == ["dl_0_0", "dl_0_1", "dl_0_2", "dl_1_3"]


def test_a_dry_run_sends_nothing(waybill: StandIn, run: Run) -> None:
    waybill.responses.append(page(dead_letter(0)))
    ended = run("dead-letters", "replay", "--dry-run")
    assert "dl_0_0" in ended.out
    assert (ended.code, ended.err, sent(waybill)) == (0, "1 would be replayed\n", [])


def test_a_second_replay_finds_nothing_to_send(waybill: StandIn, run: Run) -> None:
    waybill.responses.append(page())
    assert run("dead-letters", "replay", "--yes").code == 0
    assert sent(waybill) == []


def test_no_question_is_asked_without_a_terminal(
    waybill: StandIn, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    waybill.responses.append(page(dead_letter(0)))
    ended = run("dead-letters", "replay")
    assert (ended.code, sent(waybill)) == (2, [])
    assert "--yes" in ended.err


@pytest.mark.parametrize(("said", "batches"), [(True, [["dl_0_0"]]), (False, [])])
def test_a_terminal_is_asked_for_confirmation(
    waybill: StandIn,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    said: bool,  # noqa: FBT001  # a parameter of the test
    batches: list[list[str]],
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)

    def confirm(_question: str, **_options: object) -> None:
        if not said:
            raise typer.Abort

    monkeypatch.setattr("typer.confirm", confirm)
    waybill.responses += [page(dead_letter(0)), items("dl_0_0")]
    assert run("dead-letters", "replay").code == (0 if said else 1)
    assert sent(waybill) == batches


def test_a_discarded_dead_letter_needs_force(waybill: StandIn, run: Run) -> None:
    waybill.responses.append((200, dead_letter(0, state="discarded")))
    ended = run("dead-letters", "replay", "dl_0_0", "--yes")
    assert (ended.code, sent(waybill)) == (2, [])
    assert ended.err == "error: luis has discarded dl_0_0 (a self-test): --force replays it\n"
    waybill.responses += [(200, dead_letter(0, state="discarded")), items("dl_0_0")]
    assert run("dead-letters", "replay", "dl_0_0", "--yes", "--force").code == 0


def test_an_interruption_reports_done_and_undone_work(waybill: StandIn, run: Run) -> None:
    waybill.responses += [
        page(*(dead_letter(index) for index in range(5))),
        items("dl_0_0", "dl_0_1"),
        refusal(503, "SERVICE_UNAVAILABLE", "no connection to Kafka"),
    ]
    ended = run("dead-letters", "replay", "--yes", "--json")
    assert ended.code == 3
    assert ended.err == (
        "error: no connection to Kafka (SERVICE_UNAVAILABLE); try again in 7 s; 2 are in the log again, "
        "2 may be (dl_0_2, dl_0_3), 1 were not sent; run the same command again to continue\n"
    )
    assert ended.json == {
        "queued": ["dl_0_0", "dl_0_1"],
        "unsure": ["dl_0_2", "dl_0_3"],
        "not_found": [],
        "untouched": ["dl_0_4"],
    }


def test_after_a_failed_batch_no_later_batch_is_sent(waybill: StandIn, run: Run) -> None:
    waybill.responses += [
        page(*(dead_letter(index) for index in range(3))),
        items("dl_0_0", "dl_0_1", status="error"),
    ]
    ended = run("dead-letters", "replay", "--yes")
    assert (ended.code, len(sent(waybill))) == (1, 1)
    assert "2 may be (dl_0_0, dl_0_1), 1 were not sent" in ended.err


def test_dead_letters_deleted_by_retention_are_named(waybill: StandIn, run: Run) -> None:
    waybill.responses += [page(dead_letter(0)), items("dl_0_0", status="not_found")]
    ended = run("dead-letters", "replay", "--yes")
    assert (ended.code, ended.err) == (
        1,
        "error: 0 are in the log again, 1 are not in their topic any more (dl_0_0)\n",
    )


def test_a_rejection_in_the_middle_is_reported(waybill: StandIn, run: Run) -> None:
    waybill.responses += [page(dead_letter(0)), refusal(403, "FORBIDDEN", "not you")]
    ended = run("dead-letters", "replay", "--yes")
    assert (ended.code, ended.err) == (
        1,
        "error: not you (FORBIDDEN); 0 are in the log again, 1 may be (dl_0_0)\n",
    )


def test_ctrl_c_reports_done_work(waybill: StandIn, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def pressed(*_args: object) -> Json:
        raise KeyboardInterrupt

    waybill.responses.append(page(dead_letter(0)))
    monkeypatch.setattr("operations.waybill.Waybill.post", pressed)
    ended = run("dead-letters", "replay", "--yes")
    assert ended.code == 130
    assert ended.err == (
        "error: stopped: 0 are in the log again, 1 may be (dl_0_0); run the same command again to continue\n"
    )


def test_ids_and_filters_do_not_go_together(waybill: StandIn, run: Run) -> None:
    assert run("dead-letters", "replay", "dl_0_0", "--reason", "unreadable").code == 2
    assert waybill.asked == []


def test_each_dead_letter_is_discarded_with_the_reason(waybill: StandIn, run: Run) -> None:
    waybill.responses += [(200, dead_letter(index, state="discarded")) for index in range(2)]
    ended = run("dead-letters", "discard", "dl_0_0", "dl_0_1", "dl_0_0", "--reason", "a self-test", "--json")
    assert [each["state"] for each in ended.json] == ["discarded", "discarded"]
    assert [(each.path, each.body) for each in waybill.asked] == [
        (f"/dead-letters/dl_0_{index}/discard", {"reason": "a self-test"}) for index in range(2)
    ]


def test_matching_dead_letters_are_discarded_oldest_first(waybill: StandIn, run: Run) -> None:
    waybill.responses += [page(dead_letter(1), dead_letter(0)), (200, dead_letter(0)), (200, dead_letter(1))]
    ended = run(
        *("dead-letters", "discard", "--kind", "unreadable", "--since", "2026-11-01T00:00:00Z"),
        *("--reason", "a self-test", "--yes", "--json"),
    )
    assert ended.code == 0
    assert [each.path for each in waybill.asked] == [
        "/dead-letters?limit=100&reason=unreadable&from=2026-11-01T00%3A00%3A00Z&state=open",
        "/dead-letters/dl_0_0/discard",
        "/dead-letters/dl_0_1/discard",
    ]
    assert [each["id"] for each in ended.json] == ["dl_0_0", "dl_0_1"]


@pytest.mark.parametrize("options", [(), ("--dry-run",)])
def test_nothing_is_discarded_without_confirmation(
    waybill: StandIn, run: Run, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    waybill.responses.append(page(dead_letter(0)))
    ended = run("dead-letters", "discard", "--state", "open", "--reason", "x", *options)
    assert (ended.code, sent_discards(waybill)) == (0 if options else 2, 0)


def test_discard_needs_ids_or_a_filter(waybill: StandIn, run: Run) -> None:
    assert run("dead-letters", "discard", "--reason", "x").code == 2
    assert run("dead-letters", "discard", "dl_0_0", "--kind", "unreadable", "--reason", "x").code == 2
    assert run("dead-letters", "discard", "dl_0_0").code == 2
    assert waybill.asked == []


def sent_discards(waybill: StandIn) -> int:
    return sum(each.path.endswith("/discard") for each in waybill.asked)


@pytest.mark.parametrize(("limit", "said"), [(2, "there are more than these 2"), (3, "")])
def test_a_cut_list_says_that_there_is_more(waybill: StandIn, run: Run, limit: int, said: str) -> None:
    waybill.responses.append(page(*(dead_letter(index) for index in range(3))))
    ended = run("dead-letters", "list", "--limit", str(limit), "--json")
    assert len(ended.json) == limit
    assert ended.err.startswith(said)
    assert bool(ended.err) == bool(said)


def test_help_says_how_it_is_called_in_a_checkout(run: Run) -> None:
    assert 'make ops ARGS="' in run("--help").out


def test_the_first_failed_discard_ends_the_command_and_earlier_ones_are_shown(
    waybill: StandIn, run: Run
) -> None:
    waybill.responses += [
        (200, dead_letter(0, state="discarded")),
        refusal(409, "DEAD_LETTER_DISCARDED", "luis has discarded it: a self-test"),
    ]
    ended = run("dead-letters", "discard", "dl_0_0", "dl_0_1", "dl_0_2", "--reason", "x", "--json")
    assert [each["id"] for each in ended.json] == ["dl_0_0"]
    assert (ended.code, ended.err) == (
        1,
        "error: luis has discarded it: a self-test (DEAD_LETTER_DISCARDED)\n",
    )
