"""The shipped alerts, as Prometheus's own promtool judges them: when each fires, when not, and when it ends."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import NamedTuple

import click
import pytest
import yaml
from click.testing import CliRunner

from hocba_hub.cli import main
from hocba_hub.monitoring.alerts import alerts, rules, runbook
from hocba_hub.monitoring.catalogue import catalogue, exposed_name
from tests.support.prometheus import programs


class Case(NamedTuple):
    """Series by the minute, and the minutes at which the alert does not fire yet, fires, and is over."""

    series: dict[str, str]
    labels: str
    quiet: int
    fires: int
    over: int
    interval: str = "1m"


P = 'destination="province"'
END = "hocba_credential_end_timestamp_seconds"
DAY = 86_400


def gauge(name: str, labels: str, bad: float, good: float, *, kept: str | None = None, minutes: int = 75) -> Case:
    """A gauge that is good, then bad for some minutes, and good again; `kept` are the labels of the alert."""
    series = f"{good}x9 {bad}x{minutes} {good}x50"
    return Case({f"{name}{{{labels}}}": series}, labels if kept is None else kept, 9, minutes, minutes + 45)


DISK = 'instance="a",volume="files"'
BUCKET = "hocba_store_commit_duration_seconds_bucket"
IN_DOUBT = f'hocba_deliveries{{{P},state="in_doubt"}}'
CASES: dict[str, Case] = {
    "HocbaDown": gauge("up", 'instance="a",job="hocba-hub"', 0, 1),
    "HocbaProcessMissing": gauge("hocba_processes", 'kind="worker"', 0, 2),
    "HocbaProcessRestarting": Case(
        {'hocba_process_starts_total{kind="worker"}': "2x20 2+1x20 23x60"}, 'kind="worker"', 19, 35, 70
    ),
    "HocbaSchedulerLate": Case(
        {"hocba_scheduler_last_round_timestamp_seconds": "0+60x10 600x10 1260+60x20"}, "", 9, 18, 25
    ),
    "HocbaRedisAway": gauge("hocba_redis_up", "", 0, 1),
    "HocbaStoreSlow": Case(
        {
            f'{BUCKET}{{le="0.1"}}': "0+12x20 240x40 240+12x60",
            f'{BUCKET}{{le="1"}}': "0+12x20 240+12x40 720+12x60",
            f'{BUCKET}{{le="+Inf"}}': "0+12x20 240+12x40 720+12x60",
        },
        "", 20, 50, 90,
    ),
    "HocbaDiskLow": Case(
        {f"hocba_disk_free_bytes{{{DISK}}}": "50x9 10x60 50x60", f"hocba_disk_size_bytes{{{DISK}}}": "100x200"},
        DISK, 9, 40, 100,
    ),
    "HocbaDiskAlmostFull": Case(
        {f"hocba_disk_free_bytes{{{DISK}}}": "10x9 4x60 10x60", f"hocba_disk_size_bytes{{{DISK}}}": "100x200"},
        DISK, 9, 40, 100,
    ),
    "HocbaCredentialEnding": gauge(
        END, 'destination="",kind="client-key"', 30 * DAY, 90 * DAY, kept='kind="client-key"'
    ),
    "HocbaCredentialEndsSoon": gauge(END, f'{P},kind="hub-certificate"', 7 * DAY, 30 * DAY),
    "HocbaAuditChainBroken": gauge("hocba_audit_chain_faults", "", 1, 0),
    "HocbaServerErrors": Case(
        {
            'hocba_http_responses_total{status="200"}': "0+100x200",
            'hocba_http_responses_total{status="503"}': "0x20 0+10x30 300x200",
        },
        "", 20, 45, 100,
    ),
    "HocbaRecordsRejected": Case(
        {
            'hocba_records_total{status="accepted"}': "0+10x400",
            'hocba_records_total{status="rejected"}': "0x20 0+50x60 3000x300",
        },
        "", 20, 75, 200,
    ),
    "HocbaUnmappedCodes": gauge("hocba_unmapped_codes", "", 3, 0),
    "HocbaSchoolsSilent": Case(
        {"hocba_schools_silent": "0x9 4x400 0x100", f'hocba_window_open{{{P},level="primary"}}': "1x600"},
        "", 9, 200, 450,
    ),
    "HocbaVendorSilent": Case(
        {"hocba_clients_silent": "1x600", f'hocba_window_open{{{P},level="primary"}}': "0x100 1x200 0x300"},
        "", 99, 250, 400,
    ),
    "HocbaDeliveriesOverdue": Case(
        {f"hocba_oldest_due_age_seconds{{{P}}}": "0x9 1000x300", f"hocba_destination_paused{{{P}}}": "0x100 1x200"},
        P, 9, 90, 110,
    ),
    "HocbaDeliveriesStuck": Case(
        {
            f'hocba_stuck_age_seconds{{{P},state="in_doubt"}}': "0x9 1000x300",
            f"hocba_destination_paused{{{P}}}": "0x300",
            f"hocba_breaker_open{{{P}}}": "0x100 1x200",
        },
        f'{P},state="in_doubt"', 9, 90, 110,
    ),
    "HocbaDeliveriesFailing": Case(
        {
            f'hocba_delivery_outcomes_total{{{P},kind="send",meaning="acknowledged"}}': "0+10x300",
            f'hocba_delivery_outcomes_total{{{P},kind="send",meaning="refused"}}': "0x30 0+10x60 600x200",
        },
        P, 30, 80, 200,
    ),
    "HocbaBreakerOpen": gauge("hocba_breaker_open", P, 1, 0),
    "HocbaDestinationPaused": gauge("hocba_destination_paused", P, 1, 0, minutes=300),
    "HocbaDoubtGrowing": Case({IN_DOUBT: "30x40 30+1x60 90x200"}, P, 40, 90, 200),
    "HocbaPreconditionMissing": gauge("hocba_precondition_missing", P, 1, 0),
    "HocbaBacklogMissesWindow": Case(
        {
            f'hocba_deliveries{{{P},state="queued"}}': "100x100 1000000x200 100x300",
            f'hocba_deliveries_ended_total{{{P},state="acknowledged"}}': "0+60x600",
            f'hocba_window_closes_timestamp_seconds{{{P},level="primary"}}': f"{5 * DAY}x600",
        },
        P, 100, 250, 400,
    ),
    "HocbaLeaseTakeovers": Case({f"hocba_lease_takeovers_total{{{P}}}": "0x20 0+1x20 20x100"}, P, 20, 35, 100),
    "HocbaAcknowledgementsOverdue": gauge("hocba_acknowledgements_overdue", P, 5, 0),
    "HocbaAcknowledgementObjectiveMissed": Case(
        {
            f'hocba_acknowledgements_total{{{P},timing="in_time"}}': "0+100x300",
            f'hocba_acknowledgements_total{{{P},timing="late"}}': "0x6 0+50x30 1500x260",
            f"hocba_acknowledgement_objective_ratio{{{P}}}": "0.95x300",
        },
        P, 60, 300, 2500, "10m",
    ),
    "HocbaVerdictsContradict": gauge("hocba_acknowledgements_undecided", P, 2, 0),
    "HocbaReplayStopped": gauge("hocba_replays", 'state="stopped"', 1, 0),
    "HocbaJobOverdue": gauge("hocba_job_late_seconds", 'kind="retention"', 2000, 0),
    "HocbaJobFailed": Case(
        {'hocba_job_runs_total{kind="reconcile",state="failed"}': "0x20 1x200"}, 'kind="reconcile"', 20, 40, 200
    ),
    "HocbaReconciliationDifferences": gauge(
        "hocba_reconciliation_differences", f'{P},kind="missing"', 7, 0, kept=P
    ),
}  # fmt: skip


def test_each_alert_fires_after_its_wait_and_ends_with_its_condition(tmp_path: Path):
    assert set(CASES) == {one.name for one in alerts().alerts}
    recordings, shipped = yaml.safe_load(rules())["groups"]
    by = "destination, kind, state, volume, instance"
    for rule in shipped["rules"]:
        name = rule["alert"]
        case, group = CASES[name], {"name": "one", "rules": [rule]}
        (tmp_path / f"{name}.rules.yaml").write_text(yaml.safe_dump({"groups": [recordings, group]}), encoding="utf-8")
        expression = f'count by ({by}) (ALERTS{{alertname="{name}",alertstate="firing"}})'
        fires = [{"labels": f"{{{case.labels}}}".replace(',job="hocba-hub"', ""), "value": 1}]
        test = {
            "interval": case.interval,
            "input_series": [{"series": series, "values": values} for series, values in case.series.items()],
            "promql_expr_test": [
                {"expr": expression, "eval_time": f"{minute}m", "exp_samples": expected}
                for minute, expected in ((case.quiet, []), (case.fires, fires), (case.over, []))
            ],
        }
        document = {"rule_files": [f"{name}.rules.yaml"], "evaluation_interval": case.interval, "tests": [test]}
        (tmp_path / f"{name}.test.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    command = [programs()["promtool"], "test", "rules", *sorted(str(one) for one in tmp_path.glob("*.test.yaml"))]
    run = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, text=True)
    said = re.split(r"\n\n+", run.stdout + run.stderr)
    assert run.returncode == 0, "\n".join(part for part in said if "SUCCESS" not in part)[-6_000:]


def test_every_metric_that_an_alert_asks_for_is_told():
    for one in alerts().alerts:
        assert alerts().metrics(one.expr) <= {*catalogue().families, "up"} - (
            {"up"} if "up{" not in one.expr else set()
        )
    told = {exposed_name(name, family) for name, family in catalogue().families.items()}
    for expression in (*alerts().recordings.values(), *(one.expr for one in alerts().alerts)):
        names = set(re.findall(r"hocba_[a-z_0-9]+", expression))
        assert {name.removesuffix("_bucket") for name in names} <= told, expression


def test_each_runbook_says_all_four_things_in_both_languages():
    for page, of_page in alerts().pages().items():
        first = of_page[0]
        for texts in (first.means, first.look, first.do, first.call, *(one.summary for one in of_page)):
            assert texts is not None, page
            assert texts.keys() == {"vi", "en"}, page
            assert all(texts.values()), page
        assert runbook(page, "vi") != runbook(page, "en")


@pytest.mark.parametrize("language", ["vi", "en"])
def test_runbooks_name_commands_that_there_are(language: str):
    told = "".join(runbook(page, language) or "" for page in alerts().pages())  # type: ignore[arg-type]
    named = set(re.findall(r"`hocba-hub ([a-z-]+(?: [a-z-]+)*)", told))
    assert len(named) > 20
    for words in named:
        command: click.Command | None = main
        for word in words.split():
            context = click.Context(main)
            if not isinstance(command, click.Group):
                break
            command = command.get_command(context, word)
            assert command is not None, words


def test_the_commands_print_rules_and_runbooks():
    run = CliRunner()
    assert run.invoke(main, ["alerts", "rules"]).output == rules()
    listed = run.invoke(main, ["alerts", "list"], env={"HOCBA_LANG": "en"}).output
    assert all(one.name in listed for one in alerts().alerts)
    shown = run.invoke(main, ["alerts", "show", "HocbaRedisAway"], env={"HOCBA_LANG": "vi"}).output
    assert shown == runbook("redis-away", "vi")
    unknown = run.invoke(main, ["alerts", "show", "nothing"], env={"HOCBA_LANG": "vi"})
    assert (unknown.exit_code, "không có cảnh báo nothing" in unknown.output) == (2, True)
