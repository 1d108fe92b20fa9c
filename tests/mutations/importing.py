"""Safeguards of the import of files."""

from typing import Final

from tests.mutations.mutation import Mutation

_PACKAGE: Final = "clients/python/src/waybill/importing"
_COMMAND: Final = "clients/python/src/waybill/cli/importing.py"
_TESTS: Final = "tests/unit/clients/importing"
_OF_COMMAND: Final = "tests/unit/clients/command/test_importing.py"
_READ_IN_ORDER: Final = (
    f"{_TESTS}/test_exports.py::test_rows_of_an_export_are_read_in_the_order_of_their_times"
)

IMPORTING: Final = (
    Mutation(
        name="parcels-of-an-order-merged",
        safety="two parcels of one order are two shipments, and a repeated import finds each again",
        file=f"{_PACKAGE}/shipments.py",
        old='text = "\\n".join((*named, str(seen[named])))',
        new='text = "\\n".join(named)',
        tests=(f"{_TESTS}/test_layouts.py::test_a_key_is_of_the_reference_the_client_and_the_place",),
    ),
    Mutation(
        name="rows-sent-as-they-come",
        safety="events of a file are sent in the order of their times",
        file=f"{_PACKAGE}/importer.py",
        old="return dict(sorted(rows.items(), key=lambda each: _when(each[1]))), results",
        new="return rows, results",
        tests=(f"{_READ_IN_ORDER}[dpd-scaninfo]",),
    ),
    Mutation(
        name="missing-time-is-now",
        safety="a row without a time is never an event of now",
        file=f"{_PACKAGE}/events.py",
        old='if "timestamp" not in event:',
        new="if not event:",
        tests=(f"{_READ_IN_ORDER}[parcellab-trackings]",),
    ),
    Mutation(
        name="zone-assumed",
        safety="a time without an offset is no instant until a zone is given",
        file=f"{_PACKAGE}/times.py",
        old="    if zone is None:\n        raise InvalidTime(NO_ZONE)",
        new='    zone = zone or ZoneInfo("UTC")',
        tests=(f"{_OF_COMMAND}::test_what_cannot_be_imported_says_why_and_nothing_is_sent",),
    ),
    Mutation(
        name="repeated-hour-guessed",
        safety="an hour that a zone has twice is an error",
        file=f"{_PACKAGE}/times.py",
        old="if instant.utcoffset() != instant.replace(fold=1).utcoffset():",
        new="if instant.utcoffset() is None:",
        tests=(f"{_READ_IN_ORDER}[landmark-tracking]",),
    ),
    Mutation(
        name="area-not-bounded",
        safety="a lonely cell in the last corner of a sheet takes no memory for all between",
        file=f"{_PACKAGE}/xlsx_files.py",
        old="area.feed(step)",
        new="pass",
        tests=(f"{_TESTS}/test_tables.py::test_cells_lie_in_an_area_of_bounded_size",),
    ),
    Mutation(
        name="unpacked-without-bound",
        safety="an archive that unpacks to more than a table has is refused while it is unpacked",
        file=f"{_PACKAGE}/xlsx_files.py",
        old="left -= len(step)",
        new="left -= 0",
        tests=(f"{_TESTS}/test_tables.py::test_an_archive_that_unpacks_to_too_much_is_refused",),
    ),
    Mutation(
        name="formula-left-in",
        safety="a cell that a spreadsheet would run is text in a result",
        file=f"{_PACKAGE}/results.py",
        old='return f"\'{cell}" if is_formula else cell',
        new="return cell if is_formula else cell",
        tests=(f"{_TESTS}/test_results.py::test_a_formula_is_text_in_the_result_and_itself_when_read_again",),
    ),
    Mutation(
        name="unanswered-rows-called-unsent",
        safety="rows that were sent and have no answer are unknown",
        file=f"{_PACKAGE}/importer.py",
        old="self.results[at] = RowResult(Outcome.UNKNOWN,",
        new="self.results[at] = RowResult(Outcome.NOT_SENT,",
        tests=(f"{_OF_COMMAND}::test_an_outage_ends_it_with_a_result_file_and_importing_again_goes_on",),
    ),
    Mutation(
        name="second-signal-heard",
        safety="a second Ctrl-C does not lose the result file",
        file=_COMMAND,
        old="with _on_signals(signal.SIG_IGN):",
        new="with _on_signals(signal.default_int_handler):",
        tests=(f"{_OF_COMMAND}::test_a_signal_while_the_result_is_written_does_not_lose_it",),
    ),
)
