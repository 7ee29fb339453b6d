import pytest

from core.security.client_address import client_address


def test_without_proxies_the_header_is_the_callers_invention(settings):
    settings.TRUSTED_PROXY_COUNT = 0
    assert client_address("203.0.113.9", "10.0.0.1") == "203.0.113.9"


@pytest.mark.parametrize(
    ("count", "forwarded_for", "address"),
    [
        (1, "198.51.100.7", "198.51.100.7"),
        (1, "6.6.6.6, 198.51.100.7", "198.51.100.7"),
        (2, "6.6.6.6, 198.51.100.7, 10.0.0.2", "198.51.100.7"),
        (2, "198.51.100.7", "203.0.113.9"),
        (1, "", "203.0.113.9"),
        (1, "198.51.100.7, not-an-address", "203.0.113.9"),
        (1, "[2001:db8::1]", "2001:db8::/64"),
    ],
)
def test_the_nth_entry_from_the_right_is_the_caller_behind_n_proxies(settings, count, forwarded_for, address):
    settings.TRUSTED_PROXY_COUNT = count
    assert client_address("203.0.113.9", forwarded_for) == address


def test_one_subscriber_is_one_address_however_many_it_has(settings):
    assert client_address("2001:db8:1:2:aaaa::1", "") == client_address("2001:db8:1:2:bbbb::9", "")
    assert client_address("2001:db8:1:2::1", "") != client_address("2001:db8:1:3::1", "")
    assert client_address("::ffff:203.0.113.9", "") == "203.0.113.9"


@pytest.mark.parametrize("peer", [None, "", "/run/web.sock"])
def test_a_peer_without_address_is_called_so(peer):
    assert client_address(peer, "") == "unknown"
