"""Readiness probes for each kind of server: one call by its own protocol."""

import logging
from collections.abc import Mapping
from typing import Any

import aiohttp
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError
from pymongo import AsyncMongoClient
from pymongo.errors import OperationFailure, PyMongoError
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from devstack.home.ports import LOOPBACK
from devstack.supervision.part import NotReadyError, Probe

_ANSWER_WITHIN_S = 2.0
_NOT_YET_INITIALIZED = 94
# A server that is not up yet is no news; aiokafka logs each refused connection as an error.
logging.getLogger("aiokafka").setLevel(logging.CRITICAL)


def mongod_probe(port: int, *, replica_set: str) -> Probe:
    """Return a probe that passes once the node is the writable primary; it sets the replica set up."""
    address = f"{LOOPBACK}:{port}"

    async def probe() -> None:
        client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(
            LOOPBACK,
            port,
            directConnection=True,
            serverSelectionTimeoutMS=200,
            timeoutMS=int(_ANSWER_WITHIN_S * 1000),
        )
        try:
            hello = await client.admin.command("hello")
            if not hello.get("isWritablePrimary"):
                await _join_replica_set(client, name=replica_set, address=address)
                raise NotReadyError("not the primary yet")
        except PyMongoError as exc:
            raise NotReadyError(str(exc)) from exc
        finally:
            await client.close()

    return probe


async def _join_replica_set(client: AsyncMongoClient[dict[str, Any]], *, name: str, address: str) -> None:
    try:
        config: dict[str, Any] = (await client.admin.command("replSetGetConfig"))["config"]
    except OperationFailure as exc:
        if exc.code != _NOT_YET_INITIALIZED:
            raise
        await client.admin.command(
            {"replSetInitiate": {"_id": name, "members": [{"_id": 0, "host": address}]}}
        )
        return
    if config["members"][0]["host"] != address:  # the port of an earlier start was taken since
        config["members"][0]["host"] = address
        config["version"] += 1
        await client.admin.command({"replSetReconfig": config, "force": True})


def redis_probe(port: int) -> Probe:
    """Return a probe that passes once PING is answered, which is after the data was loaded."""

    async def probe() -> None:
        client = Redis(host=LOOPBACK, port=port, socket_timeout=_ANSWER_WITHIN_S, retry=Retry(NoBackoff(), 0))
        try:
            await client.ping()
        except (RedisError, OSError) as exc:
            raise NotReadyError(str(exc)) from exc
        finally:
            await client.aclose()

    return probe


def sentinel_probe(port: int, *, master: str) -> Probe:
    """Return a probe that passes once the Sentinel could replace `master`: it knows others and a replica."""

    async def probe() -> None:
        client = Redis(host=LOOPBACK, port=port, socket_timeout=_ANSWER_WITHIN_S, retry=Retry(NoBackoff(), 0))
        try:
            await client.sentinel_ckquorum(master)
            state = await client.sentinel_master(master)
            if not (isinstance(state, dict) and state["num-slaves"]):
                raise NotReadyError("knows no replica yet")
        except (RedisError, OSError) as exc:
            raise NotReadyError(str(exc)) from exc
        finally:
            await client.aclose()

    return probe


def kafka_probe(port: int) -> Probe:
    """Return a probe that passes once the broker lists itself in its metadata."""

    async def probe() -> None:
        client = AIOKafkaClient(
            bootstrap_servers=f"{LOOPBACK}:{port}", request_timeout_ms=int(_ANSWER_WITHIN_S * 1000)
        )
        try:
            await client.bootstrap()
            if port not in {broker.port for broker in client.cluster.brokers()}:
                raise NotReadyError("not in its metadata yet")
        except (KafkaError, OSError) as exc:
            raise NotReadyError(str(exc)) from exc
        finally:
            await client.close()

    return probe


def http_probe(
    port: int,
    path: str,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    allow_redirects: bool = True,
) -> Probe:
    """Return a probe that passes once GET `path` returns `status`."""

    async def probe() -> None:
        timeout = aiohttp.ClientTimeout(total=_ANSWER_WITHIN_S)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout, headers=headers) as session,
                session.get(f"http://{LOOPBACK}:{port}{path}", allow_redirects=allow_redirects) as response,
            ):
                if response.status != status:
                    raise NotReadyError(f"{path} returns {response.status}: {(await response.text())[:200]}")
        except (TimeoutError, aiohttp.ClientError, OSError) as exc:
            raise NotReadyError(f"{path}: {exc!r}") from exc

    return probe
