"""The processes of docker/compose.yaml on this machine: the same commands, other ports and folders."""

import json
import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import redis
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.conf import settings

from core.observability.health import HEARTBEAT_KEY
from core.tests.servers import free_port
from tests.deployment import compose

READY_SECONDS = 60
WARM_SHUTDOWN = "worker: Warm shutdown (MainProcess)"
NGINX = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")


class Stack:
    """``folder`` stands for the containers' /tmp, /run/secrets and what they log."""

    def __init__(self, folder: Path, *, database_url: str, redis_url: str) -> None:
        self.folder = folder
        self.secrets = folder / "secrets"
        self.data = folder / "data"
        self.secrets.mkdir()
        (self.secrets / "database_url").write_text(database_url)
        (self.secrets / "redis_url").write_text(redis_url)
        subprocess.run([compose.FOLDER / "make-secrets.sh", self.secrets], check=True, stdout=subprocess.DEVNULL)
        write_certificate(self.secrets / "tls_certificate", self.secrets / "tls_key")
        self.ports = {name: free_port() for name in ("rest", "sockets", "worker", "proxy", "proxy-plain")}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self._started_at: dict[str, float] = {}
        self._log_starts: dict[str, int] = {}
        self.url = f"https://localhost:{self.ports['proxy']}"

    def environment(self, name: str) -> dict[str, str]:
        """Only what compose gives, and where this machine keeps things."""
        given = compose.service(name, {"ALLOWED_HOSTS": "localhost"}).environment
        return {
            "PATH": os.environ["PATH"],
            "GAMEPLATFORM_DATA": str(self.data),
            "PYTHONUNBUFFERED": "1",
            "PYTHONPATH": str(settings.BASE_DIR),
            # Celery's, about being root, which the containers are not.
            "PYTHONWARNINGS": "ignore",
            "STATIC_ROOT": str(self.folder / "static"),
            **{key: self._here(value) for key, value in given.items()},
            **({"WORKER_METRICS_PORT": str(self.ports["worker"])} if "WORKER_METRICS_PORT" in given else {}),
        }

    def command(self, name: str) -> list[str]:
        program, *words = compose.service(name, {"ALLOWED_HOSTS": "localhost"}).command
        if program == "nginx":
            self._write_nginx_conf()
            settings_line = "daemon off; user root;" if os.geteuid() == 0 else "daemon off;"
            assert words == ["-g", "daemon off;"]
            return [str(NGINX), "-c", str(self.folder / "nginx.conf"), "-p", str(self.folder), "-g", settings_line]
        here = {"0.0.0.0": "127.0.0.1", "8000": str(self.ports.get(name, 0))}
        return [str(Path(sys.executable).parent / program), *(here.get(word, self._here(word)) for word in words)]

    def start(self, name: str) -> None:
        self._started_at[name] = time.time()
        self._log_starts[name] = self.log(name).stat().st_size if self.log(name).exists() else 0
        with self.log(name).open("ab") as log:
            self.processes[name] = subprocess.Popen(
                self.command(name),
                cwd=settings.BASE_DIR,
                env=self.environment(name),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def stop(self, name: str) -> float:
        """As `docker stop` does: the signal, then the grace period; how long it took. Being killed is a failure."""
        process = self.processes.pop(name)
        began = time.monotonic()
        process.send_signal(signal.SIGQUIT if name == "proxy" else signal.SIGTERM)
        process.wait(timeout=compose.service(name, {"ALLOWED_HOSTS": "localhost"}).stop_seconds)
        return time.monotonic() - began

    def wait_ready(self, name: str) -> None:
        checks: dict[str, Callable[[], bool]] = {
            "rest": lambda: self._is_live(self.ports["rest"]),
            "sockets": lambda: self._is_live(self.ports["sockets"]),
            "worker": lambda: "ready." in self._new_log("worker"),
            "beat": self._has_ticked,
            "proxy": self._proxy_answers,
        }
        deadline = time.monotonic() + READY_SECONDS
        while not checks[name]():
            assert self.processes[name].poll() is None, f"{name} ended: {self.log(name).read_text()}"
            assert time.monotonic() < deadline, f"{name} is not ready: {self.log(name).read_text()}"
            time.sleep(0.05)

    def run(self, name: str) -> None:
        """A one-shot service, to its end."""
        self.start(name)
        assert self.processes.pop(name).wait(timeout=READY_SECONDS) == 0, self.log(name).read_text()

    def manage(self, *words: str) -> str:
        """A management command as in a container of ``rest``; what it wrote."""
        run = subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=settings.BASE_DIR,
            env=self.environment("rest"),
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == 0, run.stdout + run.stderr
        return run.stdout

    def client(self) -> httpx.Client:
        """A caller of the proxy, who trusts its certificate."""
        return httpx.Client(base_url=self.url, verify=self.tls(), trust_env=False, timeout=20)

    def tls(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.secrets / "tls_certificate")

    def scraped(self) -> dict[str, float]:
        """The metrics of rest, sockets and worker; of a name that several have, the largest value."""
        headers = {"Authorization": f"Bearer {(self.secrets / 'metrics_token').read_text().strip()}"}
        found: dict[str, float] = {}
        for name in ("rest", "sockets", "worker"):
            url = f"http://127.0.0.1:{self.ports[name]}/metrics"
            assert httpx.get(url, trust_env=False).status_code == 404
            answer = httpx.get(url, headers=headers, trust_env=False)
            assert answer.status_code == 200, name
            for line in answer.text.splitlines():
                if not line.startswith("#"):
                    metric, value = line.rsplit(" ", 1)
                    found[metric] = max(found.get(metric, 0), float(value))
        return found

    def lines(self, name: str) -> list[dict[str, Any]]:
        """What a service logged, one JSON object a line."""
        # Celery says its shutdown past every logger.
        logged = [line for line in self.log(name).read_text().splitlines() if line not in ("", WARM_SHUTDOWN)]
        return [json.loads(line) for line in logged]

    def kill(self) -> None:
        for process in self.processes.values():
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def _new_log(self, name: str) -> str:
        """What was logged since the last start."""
        return self.log(name).read_bytes()[self._log_starts[name] :].decode()

    def _is_live(self, port: int) -> bool:
        try:
            answer = httpx.get(f"http://127.0.0.1:{port}/livez", trust_env=False)
        except httpx.TransportError:
            return False
        return answer.status_code == httpx.codes.OK

    def _has_ticked(self) -> bool:
        with redis.Redis.from_url((self.secrets / "redis_url").read_text()) as client:
            heartbeat = client.get(HEARTBEAT_KEY)
        return heartbeat is not None and float(heartbeat) > self._started_at["beat"]

    def _proxy_answers(self) -> bool:
        try:
            plain = httpx.get(f"http://127.0.0.1:{self.ports['proxy-plain']}/proxyz", trust_env=False)
        except httpx.TransportError:
            return False
        return plain.text == "ok\n"

    def _here(self, text: str) -> str:
        for there, here in {"/tmp": self.folder, "/run/secrets": self.secrets, "/var/lib/platform": self.data}.items():
            text = re.sub(rf"^{there}\b", str(here), text)
        return text

    def _write_nginx_conf(self) -> None:
        conf = (compose.FOLDER / "nginx" / "nginx.conf").read_text()
        for there, here in {
            " /tmp/": f" {self.folder}/",
            "/run/secrets": str(self.secrets),
            "/dev/stderr": str(self.log("proxy")),
            "/dev/stdout": str(self.folder / "access.log"),
            "listen 8080;": f"listen 127.0.0.1:{self.ports['proxy-plain']};",
            "listen 8443 ssl;": f"listen 127.0.0.1:{self.ports['proxy']} ssl;",
            "rest:8000": f"127.0.0.1:{self.ports['rest']}",
            "sockets:8000": f"127.0.0.1:{self.ports['sockets']}",
            "root /;": f"root {self.folder};",
        }.items():
            assert there in conf, there
            conf = conf.replace(there, here)
        (self.folder / "nginx.conf").write_text(conf)


def write_certificate(certificate_file: Path, key_file: Path) -> None:
    """A certificate for ``localhost`` that is its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
