"""The launcher's files: where the sockets go, what the env files hold, who holds the lock."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import environ
import pytest
import redis
from psycopg.conninfo import conninfo_to_dict

from gameplatform.launcher import environment, paths
from gameplatform.launcher.paths import MAX_SOCKET_PATH_BYTES, MIN_FREE_BYTES, Layout
from gameplatform.launcher.problems import LauncherError


def test_sockets_live_in_the_data_folder_when_its_path_is_short() -> None:
    assert Layout(Path("/srv/game")).sockets == Path("/srv/game/run")


def test_sockets_move_to_a_short_folder_when_the_data_path_is_too_long_for_the_kernel() -> None:
    longest = Path("/" + "x" * (MAX_SOCKET_PATH_BYTES - len("//run/.s.PGSQL.5432")))
    assert Layout(longest).sockets == longest / "run"

    one_more = Layout(Path(f"{longest}x"))
    assert one_more.sockets != one_more.data / "run"
    assert len(os.fsencode(one_more.sockets / ".s.PGSQL.5432")) <= 107
    assert one_more.sockets != Layout(Path(f"{longest}y")).sockets


def test_the_length_of_a_path_is_counted_in_bytes_not_in_letters() -> None:
    data = Path("/" + "ế" * 40)
    assert len(str(data)) < MAX_SOCKET_PATH_BYTES < len(os.fsencode(data))
    assert Layout(data).sockets != data / "run"


def test_a_socket_folder_that_is_a_link_to_elsewhere_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    layout = Layout(tmp_path / ("d" * 200))
    layout.data.mkdir()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    layout.sockets.symlink_to(elsewhere)

    with pytest.raises(LauncherError, match="belongs to somebody else"):
        paths.prepare(layout)


def test_a_file_where_the_data_folder_should_be_is_refused_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a note")
    with pytest.raises(LauncherError, match=r"is a file, not a folder\. Choose a folder with --data DIR\."):
        paths.prepare(Layout(tmp_path / "data"))


def test_a_disk_with_less_than_200_mb_free_is_refused(tmp_path: Path) -> None:
    paths.require_free_space(tmp_path, free_bytes=lambda folder: MIN_FREE_BYTES)
    with pytest.raises(LauncherError, match=r"Only 199 MB are free .* at least 200 MB are needed"):
        paths.require_free_space(tmp_path, free_bytes=lambda folder: MIN_FREE_BYTES - 1)


def test_secrets_are_made_once_and_readable_by_their_owner_only(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    environment.ensure_secrets(layout)
    first = environment.read_env_file(layout.secrets_file)
    environment.ensure_secrets(layout)

    assert environment.read_env_file(layout.secrets_file) == first
    assert list(first) == ["SECRET_KEY", "JWT_SIGNING_KEY", "FIELD_ENCRYPTION_KEYS", "SEAL_KEYS"]
    assert len(set(first.values())) == 4
    assert all(len(value) == 64 for value in first.values())
    assert stat.S_IMODE(layout.secrets_file.stat().st_mode) == 0o600


def test_a_secret_that_is_missing_is_added_beside_those_that_are_kept(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    layout.secrets_file.write_text("SECRET_KEY=kept-as-it-is\n")
    environment.ensure_secrets(layout)

    secrets = environment.read_env_file(layout.secrets_file)
    assert secrets["SECRET_KEY"] == "kept-as-it-is"
    assert len(secrets["FIELD_ENCRYPTION_KEYS"]) == 64


def test_writing_an_env_file_that_fails_leaves_the_old_one_and_no_rest(tmp_path: Path) -> None:
    file = tmp_path / "runtime.env"
    environment.write_env_file(file, {"A": "1"}, "first")
    with pytest.raises(AttributeError):
        environment.write_env_file(file, None, "second")  # type: ignore[arg-type]
    assert file.read_text() == "# first\nA=1\n"
    assert [path.name for path in tmp_path.iterdir()] == ["runtime.env"]


def test_every_reader_of_the_urls_understands_a_folder_with_a_space_and_a_capital(tmp_path: Path) -> None:
    layout = Layout(Path("/srv/My Games"))
    url = environment.database_url(layout)

    libpq = conninfo_to_dict(url)
    assert (libpq["host"], libpq["port"], libpq["user"], libpq["dbname"]) == (
        "/srv/My Games/run",
        "5432",
        "postgres",
        "gameplatform",
    )
    assert environ.Env.db_url_config(url)["OPTIONS"] == {"host": "/srv/My Games/run", "port": 5432}
    pool = redis.ConnectionPool.from_url(environment.redis_url(layout))
    assert pool.connection_kwargs["path"] == "/srv/My Games/run/valkey.sock"


def test_our_own_url_in_the_environment_is_no_outside_server(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = environment.redis_url(Layout(Path("/srv/game")))
    monkeypatch.delenv("REDIS_URL", raising=False)
    assert environment.external("REDIS_URL", ours) is None
    monkeypatch.setenv("REDIS_URL", ours)
    assert environment.external("REDIS_URL", ours) is None
    monkeypatch.setenv("REDIS_URL", "redis://cache.example:6379/0")
    assert environment.external("REDIS_URL", ours) == "redis://cache.example:6379/0"


def test_the_lock_names_its_holder_and_is_free_again_when_the_holder_is_killed(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    script = (
        "import sys, time; from pathlib import Path; from gameplatform.launcher import environment, paths;"
        "held = environment.lock(paths.Layout(Path(sys.argv[1]))); print('held', flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=paths.BASE_DIR) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(LauncherError, match=rf"Another manage\.py up \(process {holder.pid}\) already runs"):
            environment.lock(layout)
        holder.kill()
    environment.lock(layout).close()
