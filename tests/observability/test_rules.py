"""The rules are valid; each alert fires in a test and links to a place in the runbook."""

import os
import re
import subprocess
from typing import Any

import pytest
import yaml

from docgen.dashboards.pages import DASHBOARDS
from tests.observability.rules import ROOT, TESTS, alerts
from tests.support.prometheus import DEPLOYED, program


def promtool(*arguments: str) -> str:
    done = subprocess.run(
        [program("promtool"), *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=DEPLOYED,
        env={**os.environ, "GOGC": "400"},  # a quarter of its time is collecting garbage
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def anchors(text: str) -> set[str]:
    """Return the anchors of a page of Markdown on GitHub: its headings, slugified."""
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_prometheus_takes_what_is_deployed() -> None:
    assert "SUCCESS" in promtool("check", "config", "prometheus.yml")


@pytest.mark.slow
def test_alerts_fire_when_they_should_and_only_then() -> None:
    assert "SUCCESS" in promtool("test", "rules", str(TESTS))


def test_each_alert_has_a_test_in_which_it_fires_and_one_in_which_it_does_not() -> None:
    cases = [case for test in yaml.safe_load(TESTS.read_text())["tests"] for case in test["alert_rule_test"]]
    assert {case["alertname"] for case in cases if case["exp_alerts"]} == alerts().keys()
    assert {case["alertname"] for case in cases if not case["exp_alerts"]} == alerts().keys()


@pytest.mark.parametrize("alert", alerts().values(), ids=alerts().keys())
def test_an_alert_says_how_urgent_it_is_and_leads_to_the_runbook(alert: dict[str, Any]) -> None:
    assert alert["labels"]["severity"] in {"page", "ticket"}
    page, _, anchor = alert["annotations"]["runbook_url"].partition("#")
    assert anchor in anchors((ROOT / page).read_text())


def test_panels_have_titles_of_their_own() -> None:
    for page in DASHBOARDS:
        titles = [panel.title for panel in page.panels]
        assert len(set(titles)) == len(titles), page.title
