"""Injection of faults into the parts of a proxied stack, and their healing."""

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack, suppress
from typing import Final

from pymongo.errors import PyMongoError
from redis.exceptions import RedisError

from devstack.home.stack_file import Member
from messaging.topics import Topics
from tests.faults.proxied_stack import ProxiedStack
from tests.faults.schedule import Fault, Kind
from tests.support.extra_replica import extra_replica
from tests.support.redis_roles import ask, fail_over, primary_of
from tests.support.stack import kill, no_room_for, terminate
from tests.support.topics import write_values

LATENCY_S: Final = 0.1
STUTTER_S: Final = 0.3
STEPPED_DOWN_S: Final = 20
REPLACED_WITHIN_S: Final = 180.0
"""Three JVMs and three mongods on a busy machine: one that starts late breaks no guarantee."""
CROWD: Final = 3
POISON: Final = (b"\xff\xfe", b"{", b'{"specversion":"1.0"}', b"\0" * 1000)
_NOTICED_WITHIN_S: Final = 5.0
_POLL_S: Final = 0.05


Action = Callable[[Fault], Awaitable[None]]


class Nemesis:
    """Injector of faults, one call each: it returns once the fault is over and the dead are restarted."""

    def __init__(self, system: ProxiedStack) -> None:
        self._system = system
        self._crowds = 0
        self._actions: Mapping[Kind, Action] = {
            Kind.KILL: self._kill,
            Kind.STOP: self._stop,
            Kind.FREEZE: self._freeze,
            Kind.STUTTER: self._stutter,
            Kind.DISK_FULL: self._fill,
            Kind.SLOW: self._disturb,
            Kind.SILENT: self._disturb,
            Kind.CUT: self._disturb,
            Kind.ANSWERS_LOST: self._disturb,
            Kind.EMPTIED: self._empty,
            Kind.FAILED_OVER: self._fail_over,
            Kind.STEPPED_DOWN: self._step_down,
            Kind.CROWDED: self._crowd,
            Kind.POISONED: self._poison,
        }

    async def strike(self, fault: Fault) -> None:
        """Inject a fault, wait, undo it."""
        await self._actions[fault.kind](fault)

    async def _kill(self, fault: Fault) -> None:
        stack = self._system.stack
        await asyncio.to_thread(kill, stack, fault.part, index=fault.index, timeout_s=REPLACED_WITHIN_S)

    async def _stop(self, fault: Fault) -> None:
        await asyncio.to_thread(terminate, self._system.stack, fault.part, index=fault.index)

    async def _freeze(self, fault: Fault) -> None:
        member = self._member(fault)
        _signal(member, signal.SIGSTOP)
        try:
            await asyncio.sleep(fault.lasts_s)
        finally:
            _signal(member, signal.SIGCONT)

    async def _stutter(self, fault: Fault) -> None:
        """Stop and continue the process in short intervals, as on a disk that is slow to sync."""
        until = time.monotonic() + fault.lasts_s
        while time.monotonic() < until:
            await self._freeze(Fault(fault.kind, fault.part, fault.index, STUTTER_S))
            await asyncio.sleep(STUTTER_S)

    async def _fill(self, fault: Fault) -> None:
        member = self._member(fault)
        with no_room_for(member.pid):
            await asyncio.sleep(fault.lasts_s)
        await self._replaced_if_dead(fault, member)

    async def _replaced_if_dead(self, fault: Fault, old: Member) -> None:
        """Give a store that is ending the time to end, and its supervisor the time to restart it."""
        until = time.monotonic() + _NOTICED_WITHIN_S
        while _is_alive(old):
            if time.monotonic() > until:
                return
            await asyncio.sleep(_POLL_S)
        stack = self._system.stack
        await asyncio.to_thread(stack.wait_replaced, fault.part, old, index=fault.index)

    async def _disturb(self, fault: Fault) -> None:
        link = self._system.link(fault.part, fault.index)
        match fault.kind:
            case Kind.SLOW:
                link.slow(LATENCY_S)
            case Kind.SILENT:
                link.stall()
            case Kind.CUT:
                link.cut()
            case _:
                link.stall(answers_only=True)
        await asyncio.sleep(fault.lasts_s)
        if fault.kind is Kind.ANSWERS_LOST:
            link.cut()  # what was held back is lost for good
        link.heal()

    async def _empty(self, _fault: Fault) -> None:
        with suppress(RedisError):  # another fault has struck it, or its Sentinels
            await asyncio.to_thread(self._flush_redis)

    def _flush_redis(self) -> None:
        stack = self._system.stack
        ask(stack.member("redis", primary_of(stack)), "FLUSHALL")

    async def _fail_over(self, _fault: Fault) -> None:
        await asyncio.to_thread(fail_over, self._system.stack)

    async def _step_down(self, _fault: Fault) -> None:
        with suppress(PyMongoError):  # there is no primary, or no secondary that has what it has
            await self._system.database.client.admin.command("replSetStepDown", STEPPED_DOWN_S)

    async def _crowd(self, fault: Fault) -> None:
        """Scale from two to five and back: half of the added ones are killed, half stop cleanly."""
        with ExitStack() as crowd:
            processes = []
            for _ in range(CROWD):
                self._crowds += 1
                name = f"{fault.part}-beside-{self._crowds}"
                processes.append(crowd.enter_context(extra_replica(self._system.stack, fault.part, name))[0])
            await asyncio.sleep(fault.lasts_s)
            processes[0].kill()
            for process in processes[1:]:
                process.terminate()
            await asyncio.gather(*(asyncio.to_thread(process.wait, 60) for process in processes))

    async def _poison(self, _fault: Fault) -> None:
        topic = Topics().events
        values = [(b"poison-%d" % index, value) for index, value in enumerate(POISON)]
        await write_values(self._system.kafka, topic, values)

    def _member(self, fault: Fault) -> Member:
        return self._system.stack.member(fault.part, fault.index)


def _signal(member: Member, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):  # it was struck by another fault meanwhile
        os.kill(member.pid, number)


def _is_alive(member: Member) -> bool:
    try:
        os.kill(member.pid, 0)
    except ProcessLookupError:
        return False
    return True
