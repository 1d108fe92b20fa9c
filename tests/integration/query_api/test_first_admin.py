"""The command that creates the first admin, as a process on the real MongoDB."""

import asyncio
import os
import sys

import bcrypt
import pytest

from domain.access.permissions import Role
from domain.ports.queries import ActionFilter, Window
from storage.mongo.accounts.revocations import MongoRevocationStore
from storage.mongo.accounts.users import MongoUserStore
from storage.mongo.database import Database
from storage.mongo.development_users import DEVELOPMENT_PASSWORD
from storage.mongo.operations.operator_actions import MongoActionLog
from storage.mongo.schema import AUTH_USERS
from storage.mongo.schema.development_users_step import mark_seeded_users
from tests.integration.query_api.test_users import CLIENT

pytestmark = [pytest.mark.stack, pytest.mark.slow]

PASSWORD = "blue-truck-seven"  # noqa: S105  # of users that a test makes


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, mongo_uri: str, database: Database) -> None:
    for name, value in {"MONGO_URI": mongo_uri, "MONGO_DB": database.name, "BCRYPT_COST": "10"}.items():
        monkeypatch.setenv(name, value)


async def first_admin(*arguments: str, password: str | bytes) -> tuple[int, str]:
    """Run the command with a password (bytes: its whole input); return its exit code and output."""
    given = password if isinstance(password, bytes) else f"{password}\n".encode()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "query_api.first_admin",
        *arguments,
        env=os.environ,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await asyncio.wait_for(process.communicate(given), 30)
    assert process.returncode is not None
    return process.returncode, output.decode()


async def test_first_admin_is_created_once_and_reset(database: Database) -> None:
    users = MongoUserStore(database)
    code, output = await first_admin("ana", password=PASSWORD)
    assert (code, output) == (0, "ana is an admin\n")
    made = await users.find("ana")
    assert made is not None
    assert (made.role, made.disabled, made.seeded) == (Role.ADMIN, False, False)
    assert bcrypt.checkpw(PASSWORD.encode(), made.password_hash.encode())

    code, output = await first_admin("ana", password="green-train-eight")  # noqa: S106
    assert (code, "there is a user ana" in output) == (1, True)

    code, output = await first_admin("--reset", "ana", password="green-train-eight")  # noqa: S106
    assert code == 0, output
    again = await users.find("ana")
    assert again is not None
    assert bcrypt.checkpw(b"green-train-eight", again.password_hash.encode())
    assert [each.name for each in await MongoRevocationStore(database).since(None)] == ["sub:ana"]
    actions = (await MongoActionLog(database).page(ActionFilter(target="ana"), Window(limit=10))).data
    assert [(action["action"], action["by"]) for action in actions] == [
        ("user.changed", "command line"),
        ("user.created", "command line"),
    ]
    assert "truck" not in str(actions)


@pytest.mark.parametrize(
    ("arguments", "password", "code", "says"),
    [
        (["ana"], "password123", 2, "password"),
        (["ana"], "", 2, "password"),
        (["ana"], b"", 2, "password"),
        (
            ["ana"],
            "contrase\u00f1a-larga".encode("latin-1"),
            1,
            "the password is not UTF-8: nothing is changed",
        ),
        (["a b"], PASSWORD, 2, "username"),
        (["--reset", "nobody"], PASSWORD, 1, "there is no admin nobody"),
    ],
)
async def test_invalid_arguments_are_rejected(
    database: Database, arguments: list[str], password: str | bytes, code: int, says: str
) -> None:
    ended, output = await first_admin(*arguments, password=password)
    assert (ended, says in output) == (code, True), output
    assert await MongoUserStore(database).page(limit=1, offset=0) == ([], 0)


async def test_older_database_marks_development_users(database: Database) -> None:
    known, own = (
        bcrypt.hashpw(text, bcrypt.gensalt(4)).decode() for text in (DEVELOPMENT_PASSWORD.encode(), b"own")
    )
    for name, password_hash in (("admin_user", known), ("driver_user_001", own), ("somebody", known)):
        user = {
            "_id": name,
            "username": name,
            "password_hash": password_hash,
            "role": "admin",
            "client_id": None,
        }
        times = {"created_at": CLIENT.created_at, "updated_at": CLIENT.updated_at, "disabled": False}
        await database[AUTH_USERS].insert_one(user | times)
    for _ in range(2):
        await mark_seeded_users(database, users=AUTH_USERS, revoked="revoked_tokens")
    found, _ = await MongoUserStore(database).page(limit=10, offset=0)
    assert {user.username: user.seeded for user in found} == {
        "admin_user": True,
        "driver_user_001": False,
        "somebody": False,
    }
    assert [each.name for each in await MongoRevocationStore(database).since(None)] == ["sub:admin_user"]
