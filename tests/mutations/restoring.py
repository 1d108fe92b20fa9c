"""Safeguards of restores and migrations of the database."""

from typing import Final

from tests.mutations.mutation import Mutation

_COPYING: Final = "libs/storage/src/storage/mongo/backup/copying.py"
_MIGRATIONS: Final = "libs/storage/src/storage/mongo/schema/migrations.py"
_BACKUPS: Final = "tests/integration/storage/test_backup.py"
_STEPS: Final = "tests/integration/storage/test_migrations.py"

RESTORING: Final = (
    Mutation(
        name="backup-of-many-instants",
        safety="a backup has the fences and the events of one instant",
        file=_COPYING,
        old="find_raw_batches(wanted, session=session)",
        new="find_raw_batches(wanted)",
        tests=(f"{_BACKUPS}::test_a_backup_is_of_one_instant",),
    ),
    Mutation(
        name="backup-not-checked",
        safety="a damaged backup is found before anything is restored",
        file=_COPYING,
        old="    await asyncio.to_thread(archive.verify)\n"
        '    refuse_newer({record["_id"]: record for record in _recorded(archive)}, STEPS)\n'
        "    await _require_empty(database)\n",
        new="    await _require_empty(database)\n",
        tests=(f"{_BACKUPS}::test_a_damaged_backup_is_not_restored[changed]",),
    ),
    Mutation(
        name="restore-keeps-epochs",
        safety="no processor from before a restore can commit after it",
        file=_COPYING,
        old="    await fence_off(database)\n",
        new="",
        tests=(f"{_BACKUPS}::test_a_restored_database_equals_the_original",),
    ),
    Mutation(
        name="steps-run-at-once",
        safety="one runner at a time takes the schema's steps",
        file=_MIGRATIONS,
        old="        except DuplicateKeyError:\n            return False\n",
        new="        except DuplicateKeyError:\n            return True\n",
        tests=(f"{_STEPS}::test_runners_that_start_at_once_take_each_step_once",),
    ),
)
