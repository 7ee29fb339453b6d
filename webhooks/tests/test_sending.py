"""One attempt against real servers: certificates, silence, dripping, and what is told of failures."""

import socket
import ssl
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from core.db import clock
from core.tests.servers import free_port
from webhooks.sending import send


def attempt(url, **given):
    return send(url=url, headers={"webhook-id": "msg_1"}, body=b"{}", now=clock.now(), **given)


@contextmanager
def raw_server(answer, tls=None):
    """The port of a server that treats each connection by ``answer(connection)``."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                plain, _ = listener.accept()
            except OSError:
                return
            try:
                connection = tls.wrap_socket(plain, server_side=True) if tls else plain
                answer(connection)
                connection.close()
            except OSError:
                plain.close()

    threading.Thread(target=serve, daemon=True).start()
    yield listener.getsockname()[1]
    listener.close()


def hear(connection):
    """The whole request: what is closed with something unread in it is reset, and its answer lost."""
    heard = b""
    while not heard.endswith(b"\r\n\r\n{}") and (part := connection.recv(65536)):
        heard += part


def thank(connection):
    hear(connection)
    connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")


@pytest.fixture
def certified(tmp_path):
    """A server's TLS for ``hooks.example.com``, a client's that trusts it alone; the names asked for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hooks.example.com")])
    start = datetime.now(UTC) - timedelta(days=1)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=9))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("hooks.example.com")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "server.pem"
    pem = serialization.Encoding.PEM
    plain = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(certificate.public_bytes(pem) + key.private_bytes(pem, *plain))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(file)
    asked = []
    server.sni_callback = lambda connection, name, context: asked.append(name)
    client = ssl.create_default_context(cafile=str(file))
    return server, client, asked


def here(host, port):
    return ["127.0.0.1"]


def test_the_certificate_is_verified_for_the_name_though_the_address_is_connected_to(certified):
    server, client, asked = certified
    with raw_server(thank, server) as port:
        outcome = attempt(f"https://hooks.example.com:{port}/", resolve=here, tls=client)
        assert (outcome.status, outcome.error, asked) == (204, "", ["hooks.example.com"])
        other = attempt(f"https://other.example.com:{port}/", resolve=here, tls=client)
        assert (other.status, other.error) == (None, "The certificate is not valid for this host")
        stranger = attempt(f"https://hooks.example.com:{port}/", resolve=here)
        assert (stranger.status, stranger.error) == (None, "The certificate is not valid for this host")


def test_the_request_names_the_host_and_nothing_else_is_added(receiver):
    outcome = attempt(f"http://hooks.example.com:{receiver.port}/a/b?c=d", resolve=here)
    assert outcome.is_delivered
    (got,) = receiver.got
    assert got.path == "/a/b?c=d"
    assert got.headers == {
        "host": f"hooks.example.com:{receiver.port}",
        "content-type": "application/json",
        "user-agent": "gameplatform-webhooks/1",
        "accept": "*/*",
        "webhook-id": "msg_1",
        "content-length": "2",
    }


def test_a_proxy_of_the_environment_is_not_asked(receiver, monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    assert attempt(receiver.url()).is_delivered


def silent(connection):
    hear(connection)
    time.sleep(5)


def drip_headers(connection):
    hear(connection)
    for letter in b"HTTP/1.1 200 OK\r\nServer: " + b"x" * 1000:
        connection.sendall(bytes([letter]))
        time.sleep(0.1)


def drip_body(connection):
    hear(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(1000):
        connection.sendall(b"x")
        time.sleep(0.1)


def never_reads(connection):
    time.sleep(5)


def promise(connection):
    hear(connection)
    for _ in range(1000):
        connection.sendall(b"HTTP/1.1 103 Early Hints\r\n\r\n")
        time.sleep(0.1)


@pytest.mark.parametrize("how", [silent, drip_headers, drip_body, promise, never_reads])
def test_no_receiver_holds_an_attempt_longer_than_its_time(how):
    with raw_server(how) as port:
        began = time.monotonic()
        body = b"x" * 32 * 1024 * 1024 if how is never_reads else b"{}"
        url = f"http://127.0.0.1:{port}/"
        outcome = send(url=url, headers={}, body=body, now=clock.now(), timeout_seconds=0.7)
        took = time.monotonic() - began
    assert (outcome.status, outcome.error) == (None, "No answer within 0.7 s")
    assert 0.6 < took < 1.2


def test_a_name_server_that_is_silent_holds_an_attempt_no_longer_either():
    def wait(host, port):
        time.sleep(3)
        return ["127.0.0.1"]

    began = time.monotonic()
    outcome = attempt("http://hooks.example.com/", resolve=wait, timeout_seconds=0.5)
    assert outcome.error == "No answer within 0.5 s"
    assert time.monotonic() - began < 1


def test_the_next_address_is_tried_when_one_does_not_answer(receiver):
    def two(host, port):
        return ["127.0.0.2", "127.0.0.1"]

    assert attempt(f"http://hooks.example.com:{receiver.port}/", resolve=two).is_delivered


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (b"220 mail.example.com ESMTP\r\n", "The answer was no valid HTTP"),
        (b"", "The answer was no valid HTTP"),
        (b"HTTP/1.1 299 Anything\r\nContent-Length: 0\r\n\r\n", ""),
        (b"HTTP/1.1 599 secret of theirs\r\nContent-Length: 0\r\n\r\n", "599"),
        (b"HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\n\r\n",
         "301 redirects are not followed"),
    ],
)  # fmt: skip
def test_what_is_kept_of_an_answer(said, error):
    def answer(connection):
        hear(connection)
        connection.sendall(said)

    with raw_server(answer) as port:
        assert attempt(f"http://127.0.0.1:{port}/").error == error


def test_a_closed_port_and_no_tls(receiver):
    assert attempt(f"http://127.0.0.1:{free_port()}/").error == "No connection could be made"
    assert attempt(f"https://127.0.0.1:{receiver.port}/").error == "No TLS connection could be made"
