"""The dashboard and the alert rules name metrics, labels, codes and routes that exist."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from service.app import create_app
from service.errors import TwofoldError
from service.metrics import Metrics
from service.settings import Settings

MONITORING = Path(__file__).parents[1] / "deploy" / "monitoring"
ADDED = {"job", "instance", "le"}  # labels that Prometheus adds, or that are a histogram's
_SELECTOR = re.compile(r"\b((?:twofold|process)_\w+)(?:\{([^}]*)\})?")
_MATCHER = re.compile(r'(\w+)(=~?)"([^"]*)"')


def dashboard_queries() -> list[str]:
    dashboard = json.loads((MONITORING / "dashboard.json").read_text())
    variables = [variable["query"] for variable in dashboard["templating"]["list"]]
    return [*variables, *(t["expr"] for panel in dashboard["panels"] for t in panel.get("targets", ()))]


def alerts() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load((MONITORING / "alerts.yml").read_text())["groups"]
    rules: list[dict[str, Any]] = group["rules"]
    return rules


def queries() -> list[str]:
    return [*dashboard_queries(), *(rule["expr"] for rule in alerts())]


@pytest.fixture(scope="module")
def exposed() -> dict[str, set[str]]:
    """The labels of each sample of /metrics, once everything has happened."""
    metrics = Metrics()
    metrics.requests.labels("GET", "/identify", "200").inc()
    metrics.latency.labels("/identify").observe(1)
    metrics.rejections.labels("overloaded").inc()
    metrics.ran("voice", 1, 1.0)
    metrics.generated("network", 1.0)
    families = text_string_to_metric_families(metrics.render().decode())
    return {sample.name: set(sample.labels) for family in families for sample in family.samples}


def test_every_metric_and_label_exists(exposed: dict[str, set[str]]) -> None:
    selectors = [(query, *selector) for query in queries() for selector in _SELECTOR.findall(query)]
    assert len(selectors) > 25
    for query, name, matchers in selectors:
        assert name in exposed, query
        assert {label for label, _, _ in _MATCHER.findall(matchers)} <= exposed[name] | ADDED, query
        for grouped in re.findall(r"\bby \(([^)]*)\)", query):
            assert set(re.split(r",\s*", grouped)) <= exposed[name] | ADDED, query


def test_every_value_of_a_label_can_occur() -> None:
    codes: set[str] = set()
    kinds = [TwofoldError]
    while kinds:
        codes |= {kind.code for kind in kinds}
        kinds = [below for kind in kinds for below in kind.__subclasses__()]
    known = {"code": codes, "route": create_app(Settings()).openapi()["paths"].keys(), "status": {"500"}}
    for rule in alerts():
        for label, _, values in _MATCHER.findall(rule["expr"]):
            if label in known:
                assert set(values.split("|")) <= known[label], rule["alert"]


def test_panels_do_not_overlap_and_alerts_say_what_to_do() -> None:
    dashboard = json.loads((MONITORING / "dashboard.json").read_text())
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in dashboard["panels"])
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
    for rule in alerts():
        assert rule["annotations"].keys() == {"summary", "description"}


def test_prometheus_accepts_the_rules() -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed (apt-get install prometheus): this test needs it")
    done = subprocess.run(
        [promtool, "check", "rules", str(MONITORING / "alerts.yml")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
