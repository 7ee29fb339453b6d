"""No webhook reaches this network, by whatever name: spellings, kinds of addresses, and names that change."""

import socket
import threading
import time
from functools import partial
from typing import Any

import pytest

from core.db import clock
from webhooks import endpoints
from webhooks.addresses import Target, is_public, public_addresses, public_addresses_within, target_of
from webhooks.catalogue import EventType
from webhooks.errors import UrlRefused
from webhooks.models import Endpoint
from webhooks.sending import send

PUBLIC = ["8.8.8.8", "1.1.1.1", "100.63.255.255", "100.128.0.0", "172.15.0.1", "172.32.0.1", "169.253.1.1", "192.0.1.1",
          "11.0.0.1", "223.255.255.255", "168.63.129.15", "2606:4700:4700::1111", "2a00:1450:4001:800::200e",
          "2001:4860:4860::8888"]  # fmt: skip

NOT_PUBLIC = [
    # this host, this network
    "0.0.0.0", "0.1.2.3", "127.0.0.1", "127.1.2.3", "127.255.255.255", "::", "::1",
    # private
    "10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.0.1", "192.168.255.255", "fc00::1",
    "fd00:ec2::254", "fdff::1", "fec0::1",
    # link-local: the metadata services of clouds, and other places of theirs
    "169.254.169.254", "169.254.0.1", "169.254.170.2", "fe80::1", "168.63.129.16", "100.100.100.200", "192.0.0.192",
    # shared by a provider's customers
    "100.64.0.1", "100.127.255.255",
    # multicast, broadcast, reserved, documentation, benchmarks
    "224.0.0.1", "239.255.255.255", "255.255.255.255", "240.0.0.1", "192.0.0.1", "192.0.2.1", "198.18.0.1",
    "198.19.255.255", "198.51.100.1", "203.0.113.1", "192.88.99.1", "ff02::1", "2001:db8::1", "3fff::1", "100::1",
    "5f00::1", "4000::1",
    # IPv4 in IPv6: mapped, compatible, translated, NAT64, 6to4, Teredo
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "::ffff:0:127.0.0.1", "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe", "64:ff9b:1::a00:1", "2002:7f00:1::", "2002:a00:1::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    # with a zone, or nothing like an address
    "fe80::1%eth0", "2606:4700:4700::1111%eth0", "", "localhost", "127.1", "0x7f.0.0.1",
]  # fmt: skip


@pytest.fixture(autouse=True)
def _guarded(settings):
    settings.WEBHOOKS_ALLOW_PRIVATE = False


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_public(address):
    assert is_public(address)


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_no_other_address_is(address):
    assert not is_public(address)


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("https://hooks.example.com/a?b=c", "hooks.example.com", 443),
        ("https://hooks.example.com:8443/", "hooks.example.com", 8443),
        ("https://HOOKS.Example.com/", "hooks.example.com", 443),
        ("https://xn--bcher-kva.example/", "xn--bcher-kva.example", 443),
        ("https://8.8.8.8/", "8.8.8.8", 443),
        ("https://[2606:4700:4700::1111]/", "2606:4700:4700::1111", 443),
    ],
)
def test_urls_lead_where_they_say(url, host, port):
    assert target_of(url) == Target(host=host, port=port)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https://",
        "hooks.example.com",
        "//hooks.example.com/",
        "http://hooks.example.com/",
        "ftp://hooks.example.com/",
        "file:///etc/passwd",
        "gopher://hooks.example.com/",
        "javascript:alert(1)",
        "https://user:word@hooks.example.com/",
        "https://user@hooks.example.com/",
        "https://@hooks.example.com/",
        "https://hooks.example.com@10.0.0.1/",
        "https://hooks.example.com/#part",
        "https://hooks.example.com\\@10.0.0.1/",
        "https://hooks.example.com /",
        "https://hooks.example.com/\r\nHost: inside",
        "https://hooks.example.com/\u00e9",
        "https://h\u00f6oks.example.com/",
        "https://hooks.example.com\uff0f10.0.0.1/",
        "https://hooks.example.com\u3002internal/",
        "https://hooks.example.com:22/",
        "https://hooks.example.com:80/",
        "https://hooks.example.com:0/",
        "https://hooks.example.com:99999/",
        "https://hooks.example.com:x/",
        "https://hooks..example.com/",
        "https://-hooks.example.com/",
        "https://hooks.example.com./",
        "https://" + "a" * 64 + ".example.com/",
        "https://hooks.example.com/" + "a" * 2000,
        # An address has one spelling.
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0x7f.0.0.1/",
        "https://0177.0.0.1/",
        "https://127.1/",
        "https://127.0.1/",
        "https://08.8.8.8/",
        "https://8.8.8.8.8/",
        "https://[::ffff:127.0.0.1%25eth0]/",
        "https://[fe80::1%25eth0]/",
        "https://[::1",
        "https://[hooks.example.com]/",
        "https://%31%32%37.0.0.1/",
        "https://hooks.example.com%2f@10.0.0.1/",
    ],
)
def test_urls_that_are_no_plain_https_are_refused(url):
    with pytest.raises(UrlRefused):
        target_of(url)


@pytest.mark.parametrize("address", [a for a in NOT_PUBLIC if a and a not in ("localhost",) and "%" not in a])
def test_the_address_itself_in_the_url_is_refused(address):
    url = f"https://[{address}]/" if ":" in address else f"https://{address}/"
    with pytest.raises(UrlRefused):
        public_addresses(target_of(url))


NAMED = Target(host="hooks.example.com", port=443)


def test_a_name_with_public_addresses_only_is_taken():
    found = public_addresses(NAMED, resolve=lambda host, port: ["8.8.8.8", "2606:4700:4700::1111"])
    assert found == ["8.8.8.8", "2606:4700:4700::1111"]


def _answers(addresses: list[str], host: str, port: int) -> list[str]:
    return addresses


@pytest.mark.parametrize("address", [*NOT_PUBLIC[:-4], "8.8.8.8.in-addr.arpa"])
def test_one_address_that_is_not_public_is_enough_to_refuse_a_name(address):
    for answer in ([address], ["8.8.8.8", address], [address, "8.8.8.8"]):
        with pytest.raises(UrlRefused, match="not on the public internet"):
            public_addresses(NAMED, resolve=partial(_answers, answer))


def test_a_name_that_leads_nowhere_is_refused():
    def fails(host, port):
        raise socket.gaierror(socket.EAI_NONAME, "no such name")

    for resolve in (fails, partial(_answers, [])):
        with pytest.raises(UrlRefused, match="not on the public internet"):
            public_addresses(NAMED, resolve=resolve)


def test_localhost_by_the_systems_own_resolver_is_refused():
    with pytest.raises(UrlRefused, match="not on the public internet"):
        public_addresses(Target(host="localhost", port=443))


def test_the_refusal_does_not_say_what_the_name_leads_to():
    with pytest.raises(UrlRefused) as refused:
        public_addresses(NAMED, resolve=lambda host, port: ["10.1.2.3"])
    assert "10.1.2.3" not in refused.value.message


def make(url, resolve):
    terms: dict[str, Any] = {"client": None, "user": None, "actor": None, "now": clock.now()}
    return endpoints.create(name="e", url=url, types=[EventType.SESSION_ENDED], resolve=resolve, **terms)


@pytest.mark.django_db
def test_an_endpoint_that_leads_inside_is_not_made(receiver):
    for url in ("https://localhost/", f"https://127.0.0.1:{receiver.port}/", receiver.url(), "https://[::1]/"):
        with pytest.raises(UrlRefused):
            make(url, lambda host, port: ["127.0.0.1"])
    assert Endpoint.objects.count() == 0


class Changing:
    """A name server that answers something else each time it is asked."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = 0

    def __call__(self, host, port):
        self.asked += 1
        return self.answers.pop(0)


@pytest.mark.django_db
def test_a_name_that_turns_private_after_the_endpoint_was_made_is_not_connected_to():
    name = Changing(["8.8.8.8"], ["127.0.0.1"])
    endpoint = make("https://hooks.example.com/", name).endpoint
    outcome = send(url=endpoint.url, headers={}, body=b"{}", now=clock.now(), resolve=name)
    assert (outcome.status, outcome.error) == (None, "The URL's host is not on the public internet")
    assert name.asked == 2


def test_a_name_is_looked_up_once_for_each_attempt_and_that_answer_is_connected_to(monkeypatch):
    """Rebinding: public when it is checked, private a moment later. There is no later."""
    name = Changing(["198.41.0.4"], ["127.0.0.1"])
    went_to = []

    def connect(address, *given, **more):
        went_to.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", connect)
    monkeypatch.setattr(socket, "getaddrinfo", None)
    outcome = send(url="https://hooks.example.com/", headers={}, body=b"{}", now=clock.now(), resolve=name)
    assert outcome.error == "No connection could be made"
    assert went_to == [("198.41.0.4", 443)]
    assert name.asked == 1


def test_a_look_up_that_takes_too_long_is_given_up():
    done = threading.Event()

    def resolve(host, port):
        done.wait(10)
        return ["8.8.8.8"]

    began = time.monotonic()
    with pytest.raises(TimeoutError):
        public_addresses_within(0.05, NAMED, resolve=resolve)
    assert time.monotonic() - began < 5
    done.set()


def test_an_endpoint_whose_name_cannot_be_found_in_time_is_refused(db, monkeypatch):
    monkeypatch.setattr(endpoints, "LOOK_UP_SECONDS", 0.05)
    done = threading.Event()

    def resolve(host, port):
        done.wait(10)
        return ["8.8.8.8"]

    given: dict[str, Any] = {"types": [EventType.SESSION_ENDED], "client": None, "user": None, "actor": None}
    with pytest.raises(UrlRefused, match="not on the public internet"):
        endpoints.create(**given, name="slow", url="https://slow.example.com/", now=clock.now(), resolve=resolve)
    done.set()
    assert Endpoint.objects.count() == 0
