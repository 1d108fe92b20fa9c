"""`dead-letters`: listed, shown, replayed and discarded."""

from collections.abc import Sequence
from urllib.parse import parse_qs, urlsplit

import pytest
import typer

from tests.unit.clients.command.bodies import ACTION, EVENT, dead_letter
from tests.unit.clients.command.conftest import Run
from tests.unit.clients.command.stand_in import Json, StandIn, page, refusal
from waybill.cli.ops import replaying
from waybill.models import DeadLetter


def items(*ids: str, status: str = "queued") -> tuple[int, Json]:
    counts = {"received": len(ids), "queued": len(ids) if status == "queued" else 0}
    return 202, counts | {"items": [{"id": each, "status": status} for each in ids]}


def sent(waybill: StandIn) -> list[Sequence[str]]:
    """Return the batches that were replayed."""
    return [each.body["ids"] for each in waybill.asked if each.body is not None]


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replaying, "BATCH", 2)


def test_filters_become_query_parameters(waybill: StandIn, ops: Run) -> None:
    waybill.responses.append(page(dead_letter(1), dead_letter(0)))
    ended = ops(
        *("dead-letters", "list", "--state", "open", "--reason", "unreadable", "--limit", "1"),
        *("--since", "2026-11-01T00:00:00Z", "--until", "2026-11-03T00:00:00Z"),
    )
    assert parse_qs(urlsplit(waybill.asked[0].path).query) == {
        "limit": ["100"],
        "reason": ["unreadable"],
        "from": ["2026-11-01T00:00:00Z"],
        "to": ["2026-11-03T00:00:00Z"],
        "state": ["open"],
    }
    assert ("dl_0_1" in ended.out, "dl_0_0" in ended.out) == (True, False)


@pytest.mark.parametrize("outcome", [(200, EVENT), refusal(404, "EVENT_NOT_FOUND", "none")])
def test_a_dead_letter_is_shown_with_its_event_and_history(
    waybill: StandIn, ops: Run, outcome: tuple[int, Json]
) -> None:
    found = dead_letter(1, event_id="evt_1")
    waybill.responses += [(200, found), outcome, page(ACTION)]
    shown = ops("dead-letters", "show", "dl_0_1", "--json").json
    assert shown == found | {"event": outcome[1] if outcome[0] == 200 else None, "history": [ACTION]}
    assert [each.path for each in waybill.asked][1:] == [
        "/events/evt_1",
        "/operator-actions?target=dl_0_1&limit=100",
    ]


def test_matching_dead_letters_are_replayed_oldest_first_in_batches(waybill: StandIn, ops: Run) -> None:
    waybill.responses += [
        page(dead_letter(4), dead_letter(3, partition=1), next_cursor="c"),
        page(dead_letter(0), dead_letter(2), dead_letter(1, partition=1)),
        items("dl_0_0", "dl_1_1"),
        items("dl_0_2", "dl_1_3"),
    ]
    ended = ops("dead-letters", "replay", "--limit", "4", "--yes", "--json")
    assert waybill.asked[0].path == "/dead-letters?state=open&limit=100"
    assert sent(waybill) == [["dl_0_0", "dl_1_1"], ["dl_0_2", "dl_1_3"]]
    assert ended.json["queued"] == ["dl_0_0", "dl_1_1", "dl_0_2", "dl_1_3"]
    assert (ended.code, ended.err) == (0, "4 are in the log again\n")


def test_dead_letters_of_a_partition_keep_their_order_whatever_their_clocks_say() -> None:
    early = dead_letter(1) | {"timestamp": "2026-11-02T16:40:00.000Z"}
    given = [early, dead_letter(0), dead_letter(2), dead_letter(3, partition=1)]
    ordered = replaying.oldest_first(DeadLetter.model_validate(each) for each in given)
    assert [each.id for each in ordered] == ["dl_0_0", "dl_0_1", "dl_0_2", "dl_1_3"]


def test_a_dry_run_sends_nothing(waybill: StandIn, ops: Run) -> None:
    waybill.responses.append(page(dead_letter(0)))
    ended = ops("dead-letters", "replay", "--dry-run")
    assert "dl_0_0" in ended.out
    assert (ended.code, ended.err, sent(waybill)) == (0, "1 would be replayed\n", [])


def test_a_second_replay_finds_nothing_to_send(waybill: StandIn, ops: Run) -> None:
    waybill.responses.append(page())
    assert ops("dead-letters", "replay", "--yes").code == 0
    assert sent(waybill) == []


def test_no_question_is_asked_without_a_terminal(
    waybill: StandIn, ops: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    waybill.responses.append(page(dead_letter(0)))
    ended = ops("dead-letters", "replay")
    assert (ended.code, sent(waybill)) == (2, [])
    assert "--yes" in ended.err


@pytest.mark.parametrize(("said", "batches"), [(True, [["dl_0_0"]]), (False, [])])
def test_a_terminal_is_asked_for_confirmation(
    waybill: StandIn,
    ops: Run,
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
    assert ops("dead-letters", "replay").code == (0 if said else 1)
    assert sent(waybill) == batches


def test_a_discarded_dead_letter_needs_force(waybill: StandIn, ops: Run) -> None:
    waybill.responses.append((200, dead_letter(0, state="discarded")))
    ended = ops("dead-letters", "replay", "dl_0_0", "--yes")
    assert (ended.code, sent(waybill)) == (2, [])
    assert ended.err == "error: luis has discarded dl_0_0 (a self-test): --force replays it\n"
    waybill.responses += [(200, dead_letter(0, state="discarded")), items("dl_0_0")]
    assert ops("dead-letters", "replay", "dl_0_0", "--yes", "--force").code == 0


def test_an_interruption_reports_done_and_undone_work(waybill: StandIn, ops: Run) -> None:
    waybill.responses += [
        page(*(dead_letter(index) for index in range(5))),
        items("dl_0_0", "dl_0_1"),
        refusal(503, "SERVICE_UNAVAILABLE", "no connection to Kafka"),
    ]
    ended = ops("dead-letters", "replay", "--yes", "--json")
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


def test_after_a_failed_batch_no_later_batch_is_sent(waybill: StandIn, ops: Run) -> None:
    waybill.responses += [
        page(*(dead_letter(index) for index in range(3))),
        items("dl_0_0", "dl_0_1", status="error"),
    ]
    ended = ops("dead-letters", "replay", "--yes")
    assert (ended.code, len(sent(waybill))) == (1, 1)
    assert "2 may be (dl_0_0, dl_0_1), 1 were not sent" in ended.err


def test_dead_letters_deleted_by_retention_are_named(waybill: StandIn, ops: Run) -> None:
    waybill.responses += [page(dead_letter(0)), items("dl_0_0", status="not_found")]
    ended = ops("dead-letters", "replay", "--yes")
    assert (ended.code, ended.err) == (
        1,
        "error: 0 are in the log again, 1 are not in their topic any more (dl_0_0)\n",
    )


def test_a_rejection_in_the_middle_is_reported(waybill: StandIn, ops: Run) -> None:
    waybill.responses += [page(dead_letter(0)), refusal(403, "FORBIDDEN", "not you")]
    ended = ops("dead-letters", "replay", "--yes")
    assert (ended.code, ended.err) == (
        1,
        "error: not you (FORBIDDEN); 0 are in the log again, 1 may be (dl_0_0)\n",
    )


def test_ctrl_c_reports_done_work(waybill: StandIn, ops: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def pressed(*_args: object) -> Json:
        raise KeyboardInterrupt

    waybill.responses.append(page(dead_letter(0)))
    monkeypatch.setattr("waybill._sync.dead_letters.DeadLetters.replay_all", pressed)
    ended = ops("dead-letters", "replay", "--yes")
    assert ended.code == 130
    assert ended.err == (
        "error: stopped: 0 are in the log again, 1 may be (dl_0_0); run the same command again to continue\n"
    )


def test_ids_and_filters_do_not_go_together(waybill: StandIn, ops: Run) -> None:
    assert ops("dead-letters", "replay", "dl_0_0", "--reason", "unreadable").code == 2
    assert waybill.asked == []


def test_each_dead_letter_is_discarded_with_the_reason(waybill: StandIn, ops: Run) -> None:
    waybill.responses += [(200, dead_letter(index, state="discarded")) for index in range(2)]
    ended = ops("dead-letters", "discard", "dl_0_0", "dl_0_1", "dl_0_0", "--reason", "a self-test", "--json")
    assert [each["state"] for each in ended.json] == ["discarded", "discarded"]
    assert [(each.path, each.body) for each in waybill.asked] == [
        (f"/dead-letters/dl_0_{index}/discard", {"reason": "a self-test"}) for index in range(2)
    ]


def test_matching_dead_letters_are_discarded_oldest_first(waybill: StandIn, ops: Run) -> None:
    waybill.responses += [page(dead_letter(1), dead_letter(0)), (200, dead_letter(0)), (200, dead_letter(1))]
    ended = ops(
        *("dead-letters", "discard", "--kind", "unreadable", "--since", "2026-11-01T00:00:00Z"),
        *("--reason", "a self-test", "--yes", "--json"),
    )
    assert ended.code == 0
    assert [each.path for each in waybill.asked] == [
        "/dead-letters?reason=unreadable&from=2026-11-01T00%3A00%3A00Z&state=open&limit=100",
        "/dead-letters/dl_0_0/discard",
        "/dead-letters/dl_0_1/discard",
    ]
    assert [each["id"] for each in ended.json] == ["dl_0_0", "dl_0_1"]


@pytest.mark.parametrize("options", [(), ("--dry-run",)])
def test_nothing_is_discarded_without_confirmation(
    waybill: StandIn, ops: Run, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    waybill.responses.append(page(dead_letter(0)))
    ended = ops("dead-letters", "discard", "--state", "open", "--reason", "x", *options)
    assert (ended.code, sent_discards(waybill)) == (0 if options else 2, 0)


def test_discard_needs_ids_or_a_filter(waybill: StandIn, ops: Run) -> None:
    assert ops("dead-letters", "discard", "--reason", "x").code == 2
    assert ops("dead-letters", "discard", "dl_0_0", "--kind", "unreadable", "--reason", "x").code == 2
    assert ops("dead-letters", "discard", "dl_0_0").code == 2
    assert waybill.asked == []


def sent_discards(waybill: StandIn) -> int:
    return sum(each.path.endswith("/discard") for each in waybill.asked)


@pytest.mark.parametrize(("limit", "said"), [(2, "there are more than these 2"), (3, "")])
def test_a_cut_list_says_that_there_is_more(waybill: StandIn, ops: Run, limit: int, said: str) -> None:
    waybill.responses.append(page(*(dead_letter(index) for index in range(3))))
    ended = ops("dead-letters", "list", "--limit", str(limit), "--json")
    assert len(ended.json) == limit
    assert ended.err.startswith(said)
    assert bool(ended.err) == bool(said)


def test_help_says_how_it_is_called_in_a_checkout(ops: Run) -> None:
    assert 'make ops ARGS="' in ops("--help").out


def test_the_first_failed_discard_ends_the_command_and_earlier_ones_are_shown(
    waybill: StandIn, ops: Run
) -> None:
    waybill.responses += [
        (200, dead_letter(0, state="discarded")),
        refusal(409, "DEAD_LETTER_DISCARDED", "luis has discarded it: a self-test"),
    ]
    ended = ops("dead-letters", "discard", "dl_0_0", "dl_0_1", "dl_0_2", "--reason", "x", "--json")
    assert [each["id"] for each in ended.json] == ["dl_0_0"]
    assert (ended.code, ended.err) == (
        1,
        "error: luis has discarded it: a self-test (DEAD_LETTER_DISCARDED)\n",
    )
