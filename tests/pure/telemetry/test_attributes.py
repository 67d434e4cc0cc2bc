"""Names and values that traces and metrics tell: the conventions' where there are some, and nothing private."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from aihubmix_video.telemetry.attributes import (
    COMMON,
    prompt_attributes,
    request_attributes,
    server_attributes,
    span_name,
)
from aihubmix_video.telemetry.instruments import INSTRUMENTS, prometheus_name
from aihubmix_video.types.request import VideoRequest

REQUEST = VideoRequest(
    model="sora-2", prompt="a secret cat", seconds="8", size="1280x720", seed=7, input_reference=b"\x89PNG secret"
)


def conventions() -> set[str]:
    """Return every attribute and metric of the GenAI conventions that the SDK's package knows."""
    gen_ai = pytest.importorskip("opentelemetry.semconv._incubating.attributes.gen_ai_attributes")
    metrics = pytest.importorskip("opentelemetry.semconv._incubating.metrics.gen_ai_metrics")
    return {value for module in (gen_ai, metrics) for value in vars(module).values() if isinstance(value, str)}


def test_names_of_the_conventions_are_theirs():
    """A name that only looks like theirs is found by no dashboard; what they lack has a name of our own."""
    told = {*COMMON, *request_attributes(REQUEST), *prompt_attributes(REQUEST)}
    measured = {name for each in INSTRUMENTS.values() for name in (each.name, *each.attributes)}
    theirs = {name for name in told | measured if name.startswith("gen_ai.")}
    assert theirs
    assert set() == theirs - conventions()
    assert set() == {name for name in (told | measured) - theirs if not name.startswith("aihubmix.video.")} - {
        "error.type"
    }


def test_a_request_is_told_without_its_prompt_and_its_media():
    """Traces leave the machine; prompts and pictures may be private."""
    assert {
        "gen_ai.request.model": "sora-2",
        "gen_ai.request.seed": 7,
        "aihubmix.video.request.seconds": "8",
        "aihubmix.video.request.size": "1280x720",
    } == request_attributes(REQUEST)


def test_a_prompt_that_is_asked_for_has_the_form_of_a_message():
    """Viewers of GenAI traces read messages of this form, also in other languages than English."""
    (told,) = prompt_attributes(VideoRequest(model="sora-2", prompt="锦鲤")).values()
    assert [{"role": "user", "parts": [{"type": "text", "content": "锦鲤"}]}] == json.loads(str(told))


def test_a_job_known_by_its_id_only_has_a_name_too():
    """Nothing is known of its request."""
    assert {} == request_attributes(None) == prompt_attributes(None)
    assert ["generate_content", "generate_content sora-2"] == [span_name(None), span_name("sora-2")]


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("https://aihubmix.com", "aihubmix.com", 443),
        ("http://127.0.0.1:8080", "127.0.0.1", 8080),
        ("http://[::1]", "::1", 80),
    ],
)
def test_the_gateway_is_told_by_host_and_port(url: str, host: str, port: int):
    """Spans of one gateway are found by these, whatever the path."""
    assert {"server.address": host, "server.port": port} == server_attributes(url)


def test_prometheus_knows_metrics_by_names_of_its_own_rules():
    """So one dashboard serves both ways, by an OpenTelemetry collector and by scraping the server."""
    names = {prometheus_name(each) for each in INSTRUMENTS.values()}
    assert len(INSTRUMENTS) == len(names)
    assert {
        "aihubmix_video_jobs_active",
        "aihubmix_video_notice_duration_seconds",
        "aihubmix_video_downloaded_bytes",
        "aihubmix_video_rate_per_second",
        "gen_ai_client_operation_duration_seconds",
    } <= names


def test_buckets_rise():
    """A histogram refuses others, and only when the first value comes."""
    assert all(tuple(sorted(set(each.buckets))) == each.buckets for each in INSTRUMENTS.values())
    assert all(bool(each.buckets) == (each.kind == "histogram") for each in INSTRUMENTS.values())


def test_every_metric_and_attribute_is_documented():
    """Who makes a dashboard has nothing else to go by."""
    told = (Path(__file__).parents[3] / "docs" / "observability.md").read_text("utf-8")
    missing = [name for name in INSTRUMENTS if f"| `{name}` |" not in told]
    assert [] == missing


def test_the_dashboard_asks_for_metrics_that_exist():
    """A panel of a metric that was renamed stays empty, and nobody sees why."""
    dashboard = json.loads((Path(__file__).parents[3] / "docs" / "grafana-dashboard.json").read_text("utf-8"))
    asked = " ".join(target["expr"] for panel in dashboard["panels"] for target in panel["targets"])
    words = set(re.findall(r"\b(?:aihubmix_video|gen_ai|error)_\w+", asked))
    suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",), "active": ("",)}
    metrics = {prometheus_name(each) + end for each in INSTRUMENTS.values() for end in suffixes[each.kind]}
    labels = {name.replace(".", "_") for each in INSTRUMENTS.values() for name in each.attributes}
    assert set() == words - metrics - labels
    shown = {each.name for each in INSTRUMENTS.values() if any(prometheus_name(each) in word for word in words)}
    assert set(INSTRUMENTS) == shown
