"""The README's proxy block in a real nginx over https, with a certificate and a host name of its own."""

from __future__ import annotations

import re
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.support.app import ROOT
from tests.support.chromium import install
from tests.support.nginx import nginx_of

BLOCK = re.compile(r"```nginx\n(.*?)```", re.S)
README_UPSTREAM = "http://127.0.0.1:8080"
SERVER = """
server_name {names};
ssl_certificate {folder}/certificate.pem;
ssl_certificate_key {folder}/key.pem;
{block}
"""


def readme_block(upstream: str) -> str:
    found = BLOCK.findall((ROOT / "README.md").read_text())
    assert len(found) == 1, "The README has one nginx block."
    assert README_UPSTREAM in found[0]
    return found[0].replace(README_UPSTREAM, upstream)


@contextmanager
def https_proxy(upstream: str, folder: Path, *names: str) -> Iterator[int]:
    """Yields its loopback port; it serves the app as https://NAME."""
    make_certificate(folder, names)
    server = SERVER.format(folder=folder, names=" ".join(names), block=readme_block(upstream))
    with nginx_of(server, folder, listen="ssl") as (port, _):
        yield port


def client_of(port: int, name: str, certificate: Path) -> httpx.Client:
    """Asks like a browser at https://NAME: with a Host without a port, trusting only that certificate."""
    transport = _AtThePort(port, name, ssl.create_default_context(cafile=certificate))
    return httpx.Client(transport=transport, base_url=f"https://{name}", trust_env=False, timeout=20)


class _AtThePort(httpx.HTTPTransport):
    def __init__(self, port: int, name: str, tls: ssl.SSLContext) -> None:
        super().__init__(verify=tls)
        self._port, self._name = port, name

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.url = request.url.copy_with(host="127.0.0.1", port=self._port)
        request.extensions = {**request.extensions, "sni_hostname": self._name}
        return super().handle_request(request)


def openssl() -> str:
    if shutil.which("openssl") is None:
        install("openssl")
    return shutil.which("openssl") or "openssl"


def make_certificate(folder: Path, names: tuple[str, ...]) -> None:
    subprocess.run(
        [
            *(openssl(), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
            *("-nodes", "-days", "2", "-subj", f"/CN={names[0]}"),
            *("-addext", "subjectAltName=" + ",".join(f"DNS:{name}" for name in names)),
            *("-keyout", str(folder / "key.pem"), "-out", str(folder / "certificate.pem")),
        ],
        check=True,
        capture_output=True,
    )
