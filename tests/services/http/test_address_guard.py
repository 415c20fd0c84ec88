import httpx
import pytest

from services.core.errors import DeliveryFailed
from services.http.address_guard import AddressGuard, is_public, origin_of
from tests.support.names import PRIVATE_LITERALS, resolve_to

PRIVATE = [
    "127.0.0.1",
    "127.8.8.8",
    "0.0.0.0",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",  # metadata
    "100.64.0.1",
    "100.100.100.200",  # metadata
    "168.63.129.16",  # metadata
    "192.0.0.192",  # metadata
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "203.0.113.9",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "100::1",
    "2001:0:7f00:1::",  # Teredo
    "2001:db8::1",
    "2002:7f00:1::",  # 6to4
    "2002:a9fe:a9fe::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",  # metadata
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "no address",
    "",
]
PUBLIC = ["8.8.8.8", "1.1.1.1", "93.184.216.34", "2606:4700:4700::1111", "2a00:1450:4001::1"]


@pytest.mark.parametrize("address", PRIVATE)
def test_a_private_or_special_address_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_an_ordinary_address_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://example.com/film",
        "data:video/mp4,x",
        "//example.com/film",
        "/film.mp4",
        "",
        "http://",
        "http:///film",
        "http://someone@example.com/",
        "http://someone:secret@example.com/",
        "http://example.com:22/",
        "http://example.com:25/",
        "https://example.com:0/",
        "https://example.com:99999/",
        "http://example.com:port/",
        "http://[::1/",
        "http://exa mple.com\n/",
    ],
)
def test_what_is_no_plain_web_address_is_refused(url: str) -> None:
    with pytest.raises(DeliveryFailed) as refused:
        AddressGuard().admit(url)
    assert refused.value.reason == "address"
    assert "secret" not in str(refused.value)
    assert "example" not in str(refused.value)


@pytest.mark.parametrize("port", ["", ":80", ":443", ":1024", ":8443"])
def test_a_public_host_may_be_asked_on_web_and_unprivileged_ports(port: str) -> None:
    AddressGuard().admit(f"https://example.com{port}/film.mp4")


def test_an_own_origin_may_have_any_port_but_no_user_name() -> None:
    guard = AddressGuard(["http://comfy.lan:81"])
    guard.admit("http://comfy.lan:81/film.mp4")
    with pytest.raises(DeliveryFailed):
        guard.admit("http://someone@comfy.lan:81/film.mp4")


def test_an_origin_is_scheme_host_and_port() -> None:
    guard = AddressGuard(["http://Localhost:9000", "https://api.example.com"])
    owns = lambda url: guard.owns(guard.admit(url))  # noqa: E731
    assert owns("http://localhost:9000/film")
    assert owns("https://API.example.com:443/film")
    assert not owns("https://localhost:9000/film")
    assert not owns("http://localhost:9001/film")
    assert not owns("http://127.0.0.1:9000/film")
    assert not owns("http://api.example.com/film")
    assert not owns("https://api.example.com.evil.test/film")


def test_origins_come_and_go_at_run_time() -> None:
    guard = AddressGuard()
    url = guard.admit("http://127.0.0.1:5000/film")
    assert not guard.owns(url)
    guard.allow("http://127.0.0.1:5000")
    assert guard.owns(url)
    guard.forget("http://127.0.0.1:5000/")
    assert not guard.owns(url)


@pytest.mark.asyncio
async def test_one_private_answer_among_public_ones_is_enough_to_refuse(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    resolve_to(monkeypatch, ["93.184.216.34", "10.0.0.1"])
    with pytest.raises(DeliveryFailed) as refused:
        await AddressGuard().resolve("film.example", 80)
    assert refused.value.reason == "address"


@pytest.mark.asyncio
async def test_all_public_answers_are_given_once_and_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_to(monkeypatch, ["93.184.216.34", "1.1.1.1", "93.184.216.34"])
    assert await AddressGuard().resolve("film.example", 80) == ["93.184.216.34", "1.1.1.1"]


@pytest.mark.asyncio
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "2130706433", "0x7f000001", "127.1", "::1"])
async def test_other_spellings_of_loopback_do_not_help(host: str) -> None:
    with pytest.raises(DeliveryFailed) as refused:
        await AddressGuard().resolve(host, 80)
    assert refused.value.reason == "address"


@pytest.mark.asyncio
@pytest.mark.parametrize("host", ["nowhere.invalid", "a" * 70 + ".example"])
async def test_a_host_without_address_is_a_matter_of_the_network(host: str) -> None:
    with pytest.raises(DeliveryFailed) as lost:
        await AddressGuard().resolve(host, 80)
    assert lost.value.reason == "network"


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("http://[0:0:0:0:0:0:0:1]:8000", "http://[::1]:8000"),
        ("https://[FD00::5]", "https://[fd00::5]:443"),
        ("http://comfy.lan.:81", "http://comfy.lan:81"),
    ],
)
def test_an_ipv6_origin_has_one_spelling_that_can_be_read_again(url: str, origin: str) -> None:
    assert origin_of(url) == origin_of(origin) == origin
    guard = AddressGuard([url])
    assert guard.owns(guard.admit(f"{url}/film"))


@pytest.mark.parametrize(
    "host",
    [
        *PRIVATE_LITERALS,
        "0x7f000001",
        "127.0.0.1.",
        "127。0。0。1",
        "127%2e0%2e0%2e1",
        "localhost",
        "LOCALHOST.",
        "a.localhost",
        "metadata.google.internal",
        "printer.local",
        "intranet",
        "[fe80::1%25eth0]",
    ],
)
def test_what_a_proxy_resolves_is_still_no_private_address_or_local_name(host: str) -> None:
    with pytest.raises(DeliveryFailed) as refused:
        AddressGuard().require_public_name(httpx.URL(f"http://{host}:8080/film"))
    assert refused.value.reason == "address"


@pytest.mark.parametrize(
    "host", ["film.example", "8.8.8.8", "[2606:4700::1111]", "xn--bcher-kva.example", "a_b.example.com."]
)
def test_a_public_name_is_up_to_the_proxy(host: str) -> None:
    AddressGuard().require_public_name(httpx.URL(f"http://{host}/film"))
