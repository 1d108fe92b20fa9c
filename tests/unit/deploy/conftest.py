"""The overlays, built once for all tests of this folder."""

from collections.abc import Mapping

import pytest

from tests.support.manifests import Manifests, build, unpack_kubectl

ALL = ("dev", "production", "canary", "blue-green")


@pytest.fixture(scope="session")
def overlays(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Manifests]:
    kubectl = unpack_kubectl(tmp_path_factory.mktemp("kubectl"))
    return {name: build(kubectl, name) for name in ALL}


@pytest.fixture(params=ALL)
def overlay(overlays: Mapping[str, Manifests], request: pytest.FixtureRequest) -> Manifests:
    """Give each overlay in turn."""
    return overlays[request.param]


@pytest.fixture(scope="session")
def production(overlays: Mapping[str, Manifests]) -> Manifests:
    return overlays["production"]
