"""Configuration of Redis behind Sentinels: who begins as the primary, and who watches it."""

from pathlib import Path

from devstack.home.directory import Home
from devstack.parts.redis import Node, WatchedRedis

PORTS = {"redis": 1, "redis-2": 2, "redis-sentinel-1": 11, "redis-sentinel-2": 12, "redis-sentinel-3": 13}


def prepared(home: Path) -> WatchedRedis:
    watched = WatchedRedis.of(Path("redis-server"), Home(home), PORTS, sentinels=3)
    watched.prepare()
    return watched


def settings_of(node: Node) -> list[str]:
    return node.configuration.read_text().splitlines()


def test_at_first_the_first_server_is_the_primary(tmp_path: Path) -> None:
    watched = prepared(tmp_path)
    first, second = map(settings_of, watched.servers)
    assert not any(line.startswith("replicaof") for line in first)
    assert "replicaof 127.0.0.1 1" in second
    for node in watched.sentinels:
        assert "sentinel monitor mymaster 127.0.0.1 1 2" in settings_of(node)


def test_a_promoted_server_is_the_primary_at_the_next_start(tmp_path: Path) -> None:
    old, promoted = prepared(tmp_path).servers
    old.configuration.write_text("port 1\nreplicaof 127.0.0.1 2\n")
    promoted.configuration.write_text("port 2\n")

    watched = prepared(tmp_path)

    first, second = map(settings_of, watched.servers)
    assert "replicaof 127.0.0.1 2" in first
    assert not any(line.startswith("replicaof") for line in second)
    assert "sentinel monitor mymaster 127.0.0.1 2 2" in settings_of(watched.sentinels[0])


def test_a_directory_with_spaces_and_quotes_is_one_argument(tmp_path: Path) -> None:
    home = tmp_path / 'my "data" é'
    home.mkdir()
    [first, _] = prepared(home).servers
    assert f'dir "{tmp_path}/my \\"data\\" é/redis"' in settings_of(first)


def test_each_starts_with_the_configuration_that_it_rewrites(tmp_path: Path) -> None:
    watched = prepared(tmp_path)
    assert [part.command for part in watched.server_parts()] == [
        ("redis-server", str(node.configuration)) for node in watched.servers
    ]
    assert [part.command[1:] for part in watched.sentinel_parts()] == [
        (str(node.configuration), "--sentinel") for node in watched.sentinels
    ]
