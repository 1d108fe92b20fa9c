"""A MongoDB of several members: who belongs to the replica set, how it grows and shrinks (ADR 0038)."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pymongo import AsyncMongoClient
from pymongo.errors import OperationFailure, PyMongoError

from devstack.errors import PartFailedError
from devstack.home.ports import LOOPBACK
from devstack.parts.mongod import REPLICA_SET, mongod_part, share_of_cache
from devstack.supervision.part import NotReadyError, Part, Probe

ELECTION_TIMEOUT_MS: Final = 5000
"""Silence of the primary after which another one is elected; MongoDB's default is twice as long."""

_SET_UP_WITHIN_S: Final = 600.0
_ANSWER_WITHIN_S: Final = 2.0
_POLL_S: Final = 0.1
_NOT_YET_INITIALIZED: Final = 94

Config = dict[str, Any]
_Client = AsyncMongoClient[dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One mongod of the set.

    Attributes:
        number: from 1; its `_id` in the set is one less.
        data: its directory.
        port: on which it listens.
        address: by which the others and the services reach it: its own, or that of a proxy before it.
    """

    number: int
    data: Path
    port: int
    address: str

    @property
    def id(self) -> int:
        """Its `_id` in the configuration of the set."""
        return self.number - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicaSet:
    """The members of a set.

    Attributes:
        members: those that it has, or is to have.
        surplus: those of an earlier start that are to leave. They run until they have left, because the
            majority that has the last writes may be theirs.
        cache_gb: of all members together, in GiB.
    """

    program: Path
    members: tuple[Member, ...]
    surplus: tuple[Member, ...] = ()
    cache_gb: float = 1.0

    def parts(self) -> tuple[Part, ...]:
        """Describe the members; `arrange` makes them a set while they start."""
        return (
            *(self._part(member, _member_probe(member.port)) for member in self.members),
            *(self._part(member, _answer_probe(member.port)) for member in self.surplus),
        )

    async def arrange(self) -> None:
        """Make the running members a set with a primary, step by step, and wait until it is one.

        Raises:
            PartFailedError: it is none in time.
        """
        problem: Exception | None = None
        async with _clients((*self.members, *self.surplus)) as clients:
            try:
                async with asyncio.timeout(_SET_UP_WITHIN_S):
                    while True:
                        try:
                            if await self._step(clients):
                                return
                        except (PyMongoError, NotReadyError) as exc:
                            problem = exc  # a member that starts, an election: the next attempt finds out
                        await asyncio.sleep(_POLL_S)
            except TimeoutError:
                raise PartFailedError(
                    f"MongoDB was no replica set of {len(self.members)} after {_SET_UP_WITHIN_S:.0f} s",
                    details=[str(problem)],
                ) from None

    def _part(self, member: Member, probe: Probe) -> Part:
        return mongod_part(
            self.program,
            data=member.data,
            port=member.port,
            cache_gb=share_of_cache(self.cache_gb, members=len(self.members)),
            number=member.number,
            probe=probe,
        )

    async def _step(self, clients: Mapping[int, _Client]) -> bool:
        """Do what is to be done next; return whether there was nothing."""
        wanted = {member.id: member.address for member in self.members}
        here = wanted | {member.id: member.address for member in self.surplus}
        # Of all: one that has lost its data knows nothing, and is given all by the others.
        configs = dict(zip(clients, await asyncio.gather(*map(_config_of, clients.values())), strict=True))
        known = {number: config for number, config in configs.items() if config is not None}
        if not known:
            await _initiate(clients[0], wanted[0])
            return False
        latest = max(known, key=lambda number: known[number]["version"])
        if moved := with_addresses(known[latest], here):
            await clients[latest].admin.command({"replSetReconfig": moved, "force": True})
            return False
        primary = clients[await _primary(clients, wanted)].admin
        changed = next_config((await primary.command("replSetGetConfig"))["config"], wanted)
        if changed is not None:
            await primary.command({"replSetReconfig": changed})
            return False
        # A new member has no vote before it has all data: until then the set survives less than it seems to.
        status = await primary.command("replSetGetStatus")
        return bool(status["votingMembersCount"] == len(self.members))


def with_addresses(config: Config, addresses: Mapping[int, str]) -> Config | None:
    """Return a configuration with the members' present addresses; None if it has them already.

    Addresses change when another program has taken a port since, or a proxy stood before a member.
    """
    changed = deepcopy(config)
    for member in changed["members"]:
        member["host"] = addresses.get(member["_id"], member["host"])
    return None if changed == config else {**changed, "version": config["version"] + 1}


def next_config(config: Config, wanted: Mapping[int, str]) -> Config | None:
    """Return a configuration that is one member nearer to the wanted ones; None if nothing is to be done.

    One member at a time, as MongoDB demands: so every majority of the old members shares one with every
    majority of the new ones, and no acknowledged write is lost.

    Args:
        config: that of the set, from its primary.
        wanted: the address of each member by its `_id`.
    """
    members: dict[int, dict[str, Any]] = {member["_id"]: member for member in config["members"]}
    missing, surplus = wanted.keys() - members.keys(), members.keys() - wanted.keys()
    settings = {**config.get("settings", {}), "electionTimeoutMillis": ELECTION_TIMEOUT_MS}
    if missing:
        added = min(missing)
        members[added] = {"_id": added, "host": wanted[added]}
    elif surplus:
        del members[max(surplus)]
    elif settings == config.get("settings"):
        return None
    ordered = [members[number] for number in sorted(members)]
    return {**config, "version": config["version"] + 1, "members": ordered, "settings": settings}


async def _config_of(client: _Client) -> Config | None:
    """Return the configuration that a member knows; None if it knows none yet."""
    try:
        found: Config = (await client.admin.command("replSetGetConfig"))["config"]
    except OperationFailure as exc:
        if exc.code != _NOT_YET_INITIALIZED:
            raise
        return None
    return found


async def _initiate(first: _Client, address: str) -> None:
    # Of one member, which is elected at once; the others are added to it.
    settings = {"electionTimeoutMillis": ELECTION_TIMEOUT_MS}
    config = {"_id": REPLICA_SET, "members": [{"_id": 0, "host": address}], "settings": settings}
    await first.admin.command({"replSetInitiate": config})


async def _primary(clients: Mapping[int, _Client], wanted: Mapping[int, str]) -> int:
    """Return the `_id` of the primary, which is not one that is to leave.

    Raises:
        NotReadyError: it is not yet. Another one is elected, without waiting for the set's timeout; it loses
            the election while it lacks what a majority has.
    """
    greetings = await asyncio.gather(*(client.admin.command("hello") for client in clients.values()))
    said = dict(zip(clients, greetings, strict=True))
    for number in wanted:
        if said[number].get("isWritablePrimary"):
            return number
    for number in wanted:
        if said[number].get("secondary"):
            await clients[number].admin.command("replSetStepUp")
            raise NotReadyError("the primary was just elected")
    raise NotReadyError("no member can be elected")


@asynccontextmanager
async def _clients(members: tuple[Member, ...]) -> AsyncIterator[dict[int, _Client]]:
    clients = {member.id: _client(member.port) for member in members}
    try:
        yield clients
    finally:
        await asyncio.gather(*(client.close() for client in clients.values()))


def _client(port: int) -> _Client:
    return AsyncMongoClient(
        LOOPBACK,
        port,
        directConnection=True,
        serverSelectionTimeoutMS=200,
        timeoutMS=int(_ANSWER_WITHIN_S * 1000),
    )


async def _hello(port: int) -> dict[str, Any]:
    client = _client(port)
    try:
        return await client.admin.command("hello")
    except PyMongoError as exc:
        raise NotReadyError(str(exc)) from exc
    finally:
        await client.close()


def _member_probe(port: int) -> Probe:
    """Return a probe that passes once the member has all data, as primary or secondary."""

    async def probe() -> None:
        hello = await _hello(port)
        if not (hello.get("isWritablePrimary") or hello.get("secondary")):
            raise NotReadyError("neither primary nor secondary yet")

    return probe


def _answer_probe(port: int) -> Probe:
    """Return a probe that passes once the member responds; it may have left the set already."""

    async def probe() -> None:
        await _hello(port)

    return probe
