"""What a production environment must have, by booting the settings in a process of their own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

KEY = "a-long-random-text-of-an-operator-0123456789-abcdefghijklmnop"
GOOD = {
    "SECRET_KEY": KEY,
    "ALLOWED_HOSTS": "play.example.com",
    "HTTPS_ONLY": "true",
    "TRUSTED_PROXY_COUNT": "1",
    "DEFAULT_SYMBOL_GAME_ROOM": "GOLD",
    # A default of a model asks the clock, and this environment has no database.
    "CLOCK_SOURCE": "host",
}


def booted(tmp_path: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, settings.BASE_DIR / "manage.py", *words],
        env={"PATH": os.environ["PATH"], "GAMEPLATFORM_DATA": str(tmp_path), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def values(tmp_path: Path, *names: str, **environment: str) -> list[object]:
    wanted = (
        f"import json; from django.conf import settings; print(json.dumps([getattr(settings, n) for n in {names}]))"
    )
    run = booted(tmp_path, "shell", "--no-imports", "--command", wanted, **environment)
    assert run.returncode == 0, run.stderr
    answer: list[object] = json.loads(run.stdout)
    return answer


def test_a_production_environment_passes_the_deployment_checks(tmp_path):
    run = booted(tmp_path, "check", "--deploy", "--fail-level", "INFO", **GOOD)
    assert (run.returncode, run.stdout, run.stderr.count("WARNINGS")) == (
        0,
        "System check identified no issues (1 silenced).\n",
        0,
    )


def test_a_folder_for_exports_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()
    folder = str(tmp_path / "file" / "exports")
    run = booted(tmp_path, "check", "--deploy", **GOOD | {"EXPORT_DIR": folder})
    assert run.returncode == 1
    assert f"(backoffice.E001) EXPORT_DIR is {folder}, and nothing can be written to {tmp_path / 'file'}." in run.stderr


def test_without_https_the_deployment_checks_complain(tmp_path):
    run = booted(tmp_path, "check", "--deploy", "--fail-level", "WARNING", **GOOD | {"HTTPS_ONLY": "false"})
    assert run.returncode == 1
    assert "security.W004" in run.stderr
    assert "security.W008" in run.stderr


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"SECRET_KEY": ""}, "SECRET_KEY is not set."),
        ({"SECRET_KEY": "development-only-secret-never-use-in-production"}, "SECRET_KEY is not set."),
        ({"SECRET_KEY_FILE": "/nowhere/key"}, "SECRET_KEY_FILE cannot be read: "),
        ({"JWT_SIGNING_KEY": "0123456789012345678901234567890"}, "JWT_SIGNING_KEY must have 32 characters or more."),
        ({"ALLOWED_HOSTS": "*"}, "ALLOWED_HOSTS and WEBSOCKET_ORIGINS must name hosts"),
        ({"WEBSOCKET_ORIGINS": "https://a.example,*"}, "ALLOWED_HOSTS and WEBSOCKET_ORIGINS must name hosts"),
        ({"DEBUG": "true"}, "DEBUG shows settings and source"),
        ({"DATABASE_URL": "sqlite:///x"}, "DATABASE_URL must name a PostgreSQL database"),
        ({"WEBHOOKS_ALLOW_PRIVATE": "true"}, "WEBHOOKS_ALLOW_PRIVATE is for development"),
        ({"POT_HOUSE_FEE_BP": "10001"}, "POT_HOUSE_FEE_BP must be from 0 to 10000"),
        ({"SENTRY_DSN_FILE": "/nowhere/dsn"}, "SENTRY_DSN_FILE cannot be read: "),
    ],
)
def test_a_dangerous_environment_does_not_boot(tmp_path, change, sentence):
    run = booted(tmp_path, "check", **GOOD | change)
    assert run.returncode == 1
    assert f"ImproperlyConfigured: {sentence}" in run.stderr
    assert KEY not in run.stderr + run.stdout


@pytest.mark.parametrize("command", ["verify_ledger", "seal_ledger", "restore"])
def test_a_command_without_a_database_says_so_in_one_line(tmp_path, command):
    (tmp_path / "file").touch()
    words = [command, str(tmp_path / "file")] if command == "restore" else [command]
    run = booted(tmp_path, *words, **GOOD | {"DATABASE_URL": "postgres://u:secret-password@127.0.0.1:1/games"})
    assert run.returncode == 1
    assert run.stderr.startswith("The database does not answer: ")
    assert run.stderr.count("\n") == 1
    assert "secret-password" not in run.stderr


def test_debug_boots_for_this_machine_alone(tmp_path):
    environment = {"DEBUG": "true", "CLOCK_SOURCE": "host"}
    assert booted(tmp_path, "check", **environment).returncode == 0
    assert booted(tmp_path, "check", **environment, ALLOWED_HOSTS="localhost,192.168.7.7").returncode == 1


def test_secrets_may_stand_in_files(tmp_path):
    files = {
        "SECRET_KEY": "k" * 60,
        "DATABASE_URL": "postgres://u:p%40ss@db:5432/games",
        "REDIS_URL": "redis://cache/3",
    }
    environment = {name: value for name, value in GOOD.items() if name not in files}
    for name, content in files.items():
        (tmp_path / name).write_text(f"{content}\n")
        environment[f"{name}_FILE"] = str(tmp_path / name)
    key, databases, redis_url, broker = values(
        tmp_path, "SECRET_KEY", "DATABASES", "REDIS_URL", "CELERY_BROKER_URL", **environment
    )
    assert (key, redis_url, broker) == ("k" * 60, "redis://cache/3", "redis://cache/3")
    assert isinstance(databases, dict)
    assert {name: databases["default"][name] for name in ("HOST", "USER", "PASSWORD", "NAME")} == {
        "HOST": "db",
        "USER": "u",
        "PASSWORD": "p@ss",
        "NAME": "games",
    }


def test_an_empty_secret_file_is_refused(tmp_path):
    (tmp_path / "empty").write_text("\n")
    run = booted(tmp_path, "check", **GOOD | {"JWT_SIGNING_KEY_FILE": str(tmp_path / "empty")})
    assert run.returncode == 1
    assert "JWT_SIGNING_KEY_FILE names an empty file" in run.stderr


def test_what_the_example_leaves_empty_hides_nothing_that_the_launcher_made(tmp_path):
    (tmp_path / "secrets.env").write_text(f"SECRET_KEY={KEY}\nJWT_SIGNING_KEY={KEY[::-1]}\n")
    empty = {"SECRET_KEY": "", "JWT_SIGNING_KEY": "", "STATIC_ROOT": "", "DATABASE_URL": ""}
    found = values(tmp_path, "SECRET_KEY", "JWT_SIGNING_KEY", "STATIC_ROOT", **empty)
    assert found == [KEY, KEY[::-1], str(tmp_path / "static")]


@pytest.mark.parametrize(("proxies", "header"), [("0", None), ("1", ["HTTP_X_FORWARDED_PROTO", "https"])])
def test_the_forwarded_protocol_is_believed_only_behind_a_proxy(tmp_path, proxies, header):
    wanted = "from django.conf import settings; print(settings.SECURE_PROXY_SSL_HEADER)"
    run = booted(tmp_path, "shell", "--no-imports", "-c", wanted, **GOOD | {"TRUSTED_PROXY_COUNT": proxies})
    assert run.stdout.strip() == str(tuple(header) if header else None)


def test_probes_are_answered_by_address_and_without_tls(tmp_path):
    asked = (
        "from django.test import Client;"
        " print([Client().get(p, headers={'host': '10.0.0.7:8000'}).status_code for p in ('/livez', '/metrics', '/')])"
    )
    run = booted(tmp_path, "shell", "--no-imports", "-c", asked, **GOOD)
    assert run.stdout.strip() == "[200, 404, 400]", run.stderr
