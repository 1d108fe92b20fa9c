"""Safeguards of fan-out: what each endpoint is sent of a change, once, and what a change says."""

from typing import Final

from tests.mutations.mutation import Mutation

_FANOUT: Final = "services/webhooks/src/webhooks/fanout"
_STATUSES: Final = "tests/unit/messaging/test_change_statuses.py"
_CACHE: Final = "tests/unit/webhooks/test_subscription_cache.py"
_ON_SERVERS: Final = "tests/integration/webhooks/test_fan_out.py"

FANNING_OUT: Final = (
    Mutation(
        name="status-before-not-recorded",
        safety="a cancellation and a correction say the status before them",
        file="libs/domain/src/domain/processing/recording.py",
        old="        previous_status=None if before is None else status_to_record(command, before.status),\n",
        new="",
        tests=(f"{_STATUSES}::test_a_correction_says_what_was_wrong_and_what_holds_again",),
    ),
    Mutation(
        name="status-before-not-stored",
        safety="a change says the same whenever it is published",
        file="libs/storage/src/storage/mongo/documents.py",
        old="        fields[PREVIOUS_STATUS] = str(record.previous_status)\n",
        new="        pass\n",
        tests=(f"{_STATUSES}::test_a_redelivered_batch_says_the_same",),
    ),
    Mutation(
        name="endpoints-not-looked-up",
        safety="an endpoint whose creation was answered gets the next change, on every replica",
        file=f"{_FANOUT}/change_handler.py",
        old="        await self._cache.refresh()\n",
        new="",
        tests=(f"{_ON_SERVERS}::test_an_endpoint_that_is_answered_gets_the_next_change_on_every_replica",),
    ),
    Mutation(
        name="refresh-of-before-counts",
        safety="a look-up that began before a call does not serve it",
        file=f"{_FANOUT}/subscription_cache.py",
        old="            if self._succeeded > begun:\n",
        new="            if self._succeeded >= begun:\n",
        tests=(f"{_CACHE}::test_a_refresh_that_was_asked_for_sees_what_a_running_one_has_missed",),
    ),
    Mutation(
        name="late-writes-overlooked",
        safety="an endpoint that becomes visible late is seen",
        file=f"{_FANOUT}/subscription_cache.py",
        old="changed_since(since - _VISIBLE_AFTER)",
        new="changed_since(since)",
        tests=(f"{_CACHE}::test_an_endpoint_that_becomes_visible_late_is_seen",),
    ),
    Mutation(
        name="older-changes-too",
        safety="an endpoint is not sent what was published before it was created",
        file=f"{_FANOUT}/subscription_cache.py",
        old="                if type_ in each.types and each.created_at <= created_by:\n",
        new="                if type_ in each.types:\n",
        tests=(
            f"{_CACHE}::test_a_change_is_for_those_of_its_client_or_of_all_that_want_its_type_and_were_there",
        ),
    ),
    Mutation(
        name="delivery-of-its-own-each-time",
        safety="a change that is published again is delivered once",
        file="services/webhooks/src/webhooks/stores/deliveries.py",
        old='        "_id": delivery_id(delivery.endpoint_id, change.change_id),\n',
        new='        "_id": delivery_id(delivery.endpoint_id, f"{change.change_id} {now}"),\n',
        tests=(f"{_ON_SERVERS}::test_changes_that_are_published_again_add_nothing",),
    ),
    Mutation(
        name="deliveries-before-messages",
        safety="a delivery has its message from the beginning",
        file=f"{_FANOUT}/change_handler.py",
        old="        await self._stores.messages.insert((each.change for each in wanted), now)\n",
        new="",
        tests=(f"{_ON_SERVERS}::test_a_death_between_messages_and_deliveries_loses_nothing",),
    ),
    Mutation(
        name="orphans-left",
        safety="nothing is left of an endpoint that was deleted meanwhile",
        file=f"{_FANOUT}/change_handler.py",
        old="        await self._stores.deliveries.delete_of(missing)\n",
        new="",
        tests=(f"{_ON_SERVERS}::test_nothing_is_left_of_an_endpoint_that_was_deleted",),
    ),
    Mutation(
        name="backlog-read",
        safety="what was published before the first endpoint is not read",
        file=f"{_FANOUT}/fan_out.py",
        old="            await move_ahead(self._settings, oldest - _MARGIN)\n",
        new="            pass\n",
        tests=(f"{_ON_SERVERS}::test_the_backlog_from_before_the_oldest_endpoint_is_not_read",),
    ),
    Mutation(
        name="group-moved-back",
        safety="what has been fanned out is not read again by every replica that starts",
        file="libs/messaging/src/messaging/consumer/moving_ahead.py",
        old="not first[each] <= committed[each] <= ends[each]",
        new="committed[each] != first[each]",
        tests=("tests/integration/messaging/test_moving_ahead.py::test_a_group_never_moves_back",),
    ),
)
