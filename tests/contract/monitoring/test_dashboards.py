"""The dashboards' files; that no panel is empty, `tests/chaos/test_alerts.py` shows with a real Prometheus."""

from __future__ import annotations

import json
import re
from pathlib import Path

from click.testing import CliRunner

from hocba_hub.cli import main
from hocba_hub.monitoring.alerts import alerts
from hocba_hub.monitoring.catalogue import catalogue, exposed_name
from hocba_hub.monitoring.dashboards import dashboards, grafana


def test_each_family_of_metrics_is_shown_somewhere():
    queries = "".join(
        query for one in dashboards().values() for panel in one.panels for query in panel.queries.values()
    )
    for name, expression in alerts().recordings.items():
        queries = queries.replace(name, expression)
    told = {exposed_name(name, family) for name, family in catalogue().families.items()}
    asked = {name.removesuffix("_bucket") for name in re.findall(r"hocba_[a-z_]+", queries)}
    assert asked <= told
    assert told - asked == {"hocba_acknowledgement_objective_ratio", "hocba_build_info"}


def test_panels_stand_beside_each_other_and_speak_both_languages():
    for name in dashboards():
        document = json.loads(grafana(name))
        taken: set[tuple[int, int]] = set()
        for panel in document["panels"]:
            at = panel["gridPos"]
            cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
            assert at["x"] + at["w"] <= 24
            assert not cells & taken, (name, panel["title"])
            taken |= cells
            assert " · " in panel["title"]
            assert panel["targets"]
        variables = {one["name"] for one in document["templating"]["list"]}
        assert set(re.findall(r'"\$([a-z]+)"', json.dumps(document).replace("\\", ""))) <= variables


def test_the_command_writes_the_files(tmp_path: Path):
    done = CliRunner().invoke(main, ["dashboards", str(tmp_path / "to")])
    assert done.exit_code == 0, done.output
    assert {path.stem for path in (tmp_path / "to").iterdir()} == set(dashboards())
    assert (tmp_path / "to" / "overview.json").read_bytes() == grafana("overview")
