"""The files of docker/ against each other and against the programs they are for. No container engine is needed."""

import importlib
import json
import re
import shlex
import stat
import subprocess

import click
import pytest
import yaml
from django.conf import settings
from prometheus_client.metrics import MetricWrapperBase

from core.observability import health, metrics
from tests.deployment import compose
from tests.deployment.stack import NGINX, Stack

DOCKER = settings.BASE_DIR / "docker"
DOCKERFILE = (DOCKER / "Dockerfile").read_text()
EXAMPLE = re.compile(r"^([A-Z][A-Z0-9_]+)=", re.MULTILINE)


def services() -> dict[str, dict]:
    found: dict[str, dict] = compose.document()["services"]
    return found


def dockerfile_lines() -> list[str]:
    joined = DOCKERFILE.replace("\\\n", " ")
    return [line.strip() for line in joined.splitlines() if line.strip() and not line.startswith("#")]


def test_every_setting_given_to_a_container_is_one_of_the_platform():
    known = set(EXAMPLE.findall((settings.BASE_DIR / ".env.example").read_text()))
    for name in compose.PLATFORM:
        given = {key.removesuffix("_FILE") for key in services()[name]["environment"]}
        elsewhere = {name for name in given if name.startswith("OTEL_")} | {"PROMETHEUS_MULTIPROC_DIR", "PGOPTIONS"}
        assert given - known - elsewhere == set(), name


def test_what_a_person_decides_is_explained_in_one_file():
    assert compose.variables() == set(EXAMPLE.findall((DOCKER / ".env.example").read_text()))


def test_a_copy_of_that_file_as_it_is_changes_nothing():
    given = dict(re.findall(r"^([A-Z_]+)=(.*)$", (DOCKER / ".env.example").read_text(), re.MULTILINE))
    assert given.pop("ALLOWED_HOSTS") == ""
    text = (DOCKER / "compose.yaml").read_text()
    for name, value in given.items():
        assert set(re.findall(rf"\$\{{{name}:-([^}}]*)\}}", text)) == {value}, name


def test_every_secret_that_is_used_is_declared_made_and_mounted(tmp_path):
    declared = compose.document()["secrets"]
    subprocess.run([DOCKER / "make-secrets.sh", tmp_path / "secrets"], check=True, capture_output=True)
    made = {path.name for path in (tmp_path / "secrets").iterdir()}
    assert set(declared) == made | {"tls_certificate", "tls_key"}
    for name, service in services().items():
        mounted = set(service.get("secrets", []))
        text = json.dumps([service.get("environment", {}), service.get("command"), service.get("healthcheck")])
        assert set(re.findall(r"/run/secrets/(\w+)", text)) <= mounted <= set(declared), name
    assert {"tls_certificate", "tls_key"} == set(
        re.findall(r"/run/secrets/(\w+)", (DOCKER / "nginx" / "nginx.conf").read_text())
    )


def test_secrets_are_made_once_and_only_their_folder_is_closed(tmp_path):
    folder = tmp_path / "secrets"
    subprocess.run([DOCKER / "make-secrets.sh", folder], check=True, capture_output=True)
    contents = {path.name: path.read_text().strip() for path in folder.iterdir()}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o444}
    random = [
        contents[name]
        for name in ("secret_key", "jwt_signing_key", "field_encryption_keys", "seal_keys", "metrics_token")
    ]
    assert len(set(random)) == 5
    assert min(map(len, random)) >= 50
    password = contents["postgres_password"]
    assert contents["database_url"] == f"postgres://gameplatform:{password}@postgres:5432/gameplatform"
    subprocess.run([DOCKER / "make-secrets.sh", folder], check=True, capture_output=True)
    assert {path.name: path.read_text().strip() for path in folder.iterdir()} == contents


@pytest.mark.parametrize("name", ["rest", "sockets", "worker", "beat"])
def test_the_programs_understand_their_command_lines(name):
    program, *words = compose.service(name, {"ALLOWED_HOSTS": "localhost"}).command
    module, attribute = {
        "granian": ("granian.cli", "cli"),
        "uvicorn": ("uvicorn.main", "main"),
        "celery": ("celery.bin.celery", "celery"),
    }[program]
    command = getattr(importlib.import_module(module), attribute)
    with command.make_context(program, list(words)) as context:
        if program != "celery":
            assert context.params["app"].startswith("gameplatform.")
            return
        assert context.params["app"] == "gameplatform"
        subcommand, *rest = words[words.index(name) :]
        # Unknown options raise; the options' own callbacks would want a running application.
        inner = command.commands[subcommand]
        _, left, _ = inner.make_parser(click.Context(inner)).parse_args(rest)
        assert (subcommand, left) == (name, [])


def test_every_image_and_package_is_pinned():
    images = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    images += [service["image"] for service in services().values() if not service["image"].startswith("${")]
    assert len(images) == 5
    for image in images:
        assert re.search(r":\d+\.\d+", image), f"{image} is not pinned by version"
    installs = [line for line in dockerfile_lines() if "pip install" in line]
    assert len(installs) == 1
    assert "--require-hashes" in installs[0]
    for name in ("requirements.txt", "requirements-production.txt"):
        pins = (settings.BASE_DIR / name).read_text()
        assert pins.count("==") > 0
        assert re.findall(r"^\S+==.*(?<!\\)$", pins, re.MULTILINE) == [], "a pin without a hash"


def test_the_final_images_run_as_nobody_special_and_say_how_they_are():
    stages = re.split(r"^FROM ", DOCKERFILE, flags=re.MULTILINE)[1:]
    platform, proxy = (next(stage for stage in stages if f" AS {name}" in stage) for name in ("platform", "proxy"))
    assert re.search(r"^USER 10001$", platform, re.MULTILINE)
    assert "nginx-unprivileged" in proxy.splitlines()[0]
    assert "HEALTHCHECK" in platform
    assert "HEALTHCHECK" in proxy
    for name in ("rest", "sockets", "worker", "beat", "proxy"):
        service = services()[name]
        assert service["cap_drop"] == ["ALL"], name
        assert service["read_only"] is True, name
        assert service["security_opt"] == ["no-new-privileges:true"], name


def test_what_the_image_copies_exists_and_is_let_through():
    let_through = {
        line[1:] for line in (settings.BASE_DIR / ".dockerignore").read_text().splitlines() if line.startswith("!")
    }
    copied = set()
    for line in dockerfile_lines():
        words = shlex.split(line)
        if words[0] == "COPY" and not words[1].startswith("--from"):
            copied |= set(words[1:-1])
    for path in copied:
        assert (settings.BASE_DIR / path).exists(), path
        assert any(path == allowed or path.startswith(f"{allowed}/") for allowed in let_through), path
    apps = {app.split(".")[0] for app in settings.INSTALLED_APPS if (settings.BASE_DIR / app.split(".")[0]).is_dir()}
    assert apps <= copied


def test_each_grace_period_is_longer_than_what_its_process_gives_itself():
    seconds = {name: compose.service(name, {"ALLOWED_HOSTS": "x"}).stop_seconds for name in services()}
    commands = {name: services()[name]["command"] for name in services()}

    def option(name: str, word: str) -> int:
        return int(commands[name][commands[name].index(word) + 1])

    assert seconds["rest"] > option("rest", "--workers-kill-timeout")
    assert seconds["sockets"] > option("sockets", "--timeout-graceful-shutdown")
    nginx = (DOCKER / "nginx" / "nginx.conf").read_text()
    assert seconds["proxy"] > int(re.search(r"worker_shutdown_timeout (\d+)s;", nginx)[1])
    # From an emergency stop, too: a settlement of the largest session takes less than a second.
    assert seconds["worker"] >= 30


def test_callers_go_before_what_they_call():
    order = {name: set(service.get("depends_on", [])) for name, service in services().items()}
    assert {"rest", "sockets"} <= order["proxy"]
    assert "worker" in order["beat"]
    for name in ("rest", "sockets", "worker", "beat"):
        assert {"postgres", "valkey", "migrate"} <= order[name]
        assert services()[name]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"


def test_only_the_proxy_can_be_reached_from_outside():
    assert [name for name, service in services().items() if "ports" in service] == ["proxy"]
    assert compose.document()["networks"]["inside"] == {"internal": True}
    # The worker delivers webhooks; nobody reaches it.
    out = {name for name, service in services().items() if service["networks"] != ["inside"]}
    assert out == {"proxy", "worker"}


def test_who_writes_and_who_hands_out_exported_lists_share_a_folder_that_they_may_write_to():
    folder = compose.service("rest", {"ALLOWED_HOSTS": "x"}).environment["EXPORT_DIR"]
    for name in ("rest", "worker"):
        assert services()[name]["volumes"] == [f"exports:{folder}"], name
        assert services()[name]["environment"]["EXPORT_DIR"] == folder, name
    assert "exports" in compose.document()["volumes"]
    # A new volume takes over the owner of the image's folder.
    made = next(line for line in dockerfile_lines() if "install --directory" in line)
    assert f"--owner platform /var/lib/platform {folder}" in made


def test_the_health_check_reads_the_sign_of_life_that_the_worker_gives():
    text = (DOCKER / "healthcheck.py").read_text()
    assert f'HEARTBEAT_KEY = "{health.HEARTBEAT_KEY}"' in text


@pytest.mark.skipif(NGINX is None, reason="no nginx: ITS CONFIGURATION WAS NOT READ (apt install nginx)")
def test_nginx_accepts_its_configuration(tmp_path):
    stack = Stack(tmp_path, database_url="postgres://x/x", redis_url="redis://x")
    run = subprocess.run([*stack.command("proxy"), "-t"], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert "[warn]" not in run.stderr.replace('the "user" directive makes sense only', "")


def test_what_the_proxy_tells_the_servers_behind_it_is_told_to_the_sockets_too():
    conf = (DOCKER / "nginx" / "nginx.conf").read_text()
    above = conf[conf.index("listen 8443") : conf.index("location / {", conf.index("listen 8443"))]
    sockets = re.search(r"location /ws/ \{.*?\n        \}", conf, re.DOTALL)[0]
    told = set(re.findall(r"proxy_set_header (.*);", above)) - {'Connection ""'}
    assert len(told) == 4
    assert told <= set(re.findall(r"proxy_set_header (.*);", sockets))


def test_no_query_string_reaches_a_log_of_the_proxy():
    conf = (DOCKER / "nginx" / "nginx.conf").read_text()
    log_format = re.search(r"log_format json.*?;", conf, re.DOTALL)[0]
    logged = set(re.findall(r"\$(\w+)", log_format))
    assert not logged & {"request", "request_uri", "args", "query_string", "http_referer", "http_authorization"}
    # An error's line has the whole request line: only what nobody can cause from outside is logged.
    http = conf[conf.index("http {") :]
    assert re.findall(r"error_log .*", http) == ["error_log /dev/stderr crit;"]


def test_the_dashboard_and_the_alerts_ask_for_metrics_that_exist():
    modules = (
        "core/observability/metrics.py",
        "gameplatform/operations/metrics.py",
        "rooms/metrics.py",
        "payments/metrics.py",
        "webhooks/metrics.py",
    )
    source = "".join((settings.BASE_DIR / path).read_text() for path in modules)
    known = set(re.findall(r'"(gameplatform_\w+)"', source))
    assert {re.sub(r"_(total|bucket|count|sum)$", "", name) for name in compose.asked_metrics()} == known


def test_expressions_are_whole_and_group_by_labels_that_the_metrics_have():
    counted = {
        metric._name: set(metric._labelnames) | ({"le"} if metric._type == "histogram" else set())
        for metric in vars(metrics).values()
        if isinstance(metric, MetricWrapperBase)
    }
    labels = counted | {"gameplatform_sessions_live": {"state"}, "gameplatform_session_overdue_seconds": {"step"}}
    labels |= {"gameplatform_webhooks": {"state"}}
    grouped = 0
    for expression in compose.expressions():
        assert expression.count("(") == expression.count(")"), expression
        name = re.sub(r"_(total|bucket|count|sum)$", "", re.search(r"gameplatform_\w+", expression)[0])
        is_counter = bool(re.search(r"_(total|bucket)\b", expression)) or name == "gameplatform_transfers"
        assert is_counter == bool(re.search(r"\b(rate|increase)\(.*\[\d+[mh]\]\)", expression)), expression
        for group in re.findall(r"by \(([^)]*)\)", expression):
            assert set(group.split(", ")) <= labels.get(name, set()), expression
            grouped += 1
    assert grouped >= 8


def test_every_alert_says_what_it_means_and_the_manual_says_what_to_do():
    alerts = yaml.safe_load((DOCKER / "observability/alerts.yaml").read_text())
    rules = [rule for group in alerts["groups"] for rule in group["rules"]]
    manual = (settings.BASE_DIR / "docs/operations.md").read_text()
    for rule in rules:
        assert rule["labels"]["severity"] in ("page", "ticket"), rule["alert"]
        assert rule["annotations"]["summary"], rule["alert"]
        assert f"\n| {rule['alert']} |" in manual, rule["alert"]
