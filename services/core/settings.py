"""The admin's settings: environment variables, or a `.env` file beside main.py."""

import ipaddress
import re
from pathlib import Path
from typing import Annotated, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from services.core.errors import CannotStart

S = TypeVar("S", bound=BaseSettings)
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
TRUSTED_PROXIES = "127.0.0.0/8,::1/128"


def _check_origin(url: str) -> str:
    if not re.fullmatch(r"https?://[^\s/]+/?", url):
        raise ValueError("it must be an address without a path, as https://rushes.example")
    return url


def _check_networks(text: str) -> str:
    named = [each.strip() for each in text.split(",")]
    try:
        networks = [ipaddress.ip_network(each, strict=False) for each in named if each]
    except ValueError as error:
        raise ValueError("it must list addresses or networks, as 127.0.0.1, 10.0.0.0/8") from error
    return ",".join(map(str, networks))


def _check_address(url: str) -> str:
    if not re.fullmatch(r"https?://[^\s/@?#]+(/[^\s?#]*)?", url):
        raise ValueError("it must be an address, as http://127.0.0.1:11434/v1")
    return url


def _read_origins(listed: object) -> object:
    """Splits at commas and white space."""
    if not isinstance(listed, str):
        return listed
    origins = re.split(r"[\s,]+", listed.strip(" ,"))
    return tuple(_check_result_origin(origin) for origin in origins if origin)


def _check_result_origin(origin: str) -> str:
    try:
        readable = urlsplit(origin).hostname and urlsplit(origin).port != 0
    except ValueError:  # a broken IPv6 address, a port that is none
        readable = False
    if not readable or not re.fullmatch(r"https?://[^\s/@?#*]+/?", origin):
        raise ValueError(
            f"{origin!r} is no origin; write http://host:port or https://host, separated by commas"
        )
    return origin


class Settings(BaseSettings):
    model_config = SettingsConfigDict(
        env_file=".env", env_prefix="RUSHES_", extra="ignore", frozen=True, populate_by_name=True
    )

    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    public_url: Annotated[str, AfterValidator(_check_origin)] | None = None
    trusted_proxies: Annotated[str, AfterValidator(_check_networks)] = TRUSTED_PROXIES
    """Whose X-Forwarded-For, -Proto and -Host count; none when it is empty."""
    data_dir: Path = Path("data")
    database_url: str | None = None
    animatic: bool = True
    poll_every_s: float = Field(default=10.0, gt=0, le=3600)
    poll_attempts: int = Field(default=18, ge=1, le=10_000)
    chat_poll_after_s: float = Field(default=30.0, ge=0, le=3600)
    result_origins: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_read_origins)] = ()
    outbound_proxy: SecretStr = SecretStr("")
    """`env`, or a URL, which may hold a password."""
    chat_url: Annotated[str, AfterValidator(_check_address)] | None = None
    chat_key: SecretStr | None = None
    chat_model: str | None = None
    stream_silence_s: float = Field(default=45.0, gt=0, le=3600)
    result_limit_mb: float = Field(default=2048.0, gt=0)
    """Of a result's file, in millions of bytes."""
    watch_for_s: float = Field(default=86_400.0, gt=0)
    picture_limit_mp: float = Field(default=100.0, gt=0, le=2000)
    """Pictures and films of more megapixels are not decoded."""

    @property
    def media_dir(self) -> Path:
        return self.data_dir / "media"

    @property
    def resolved_database_url(self) -> str:
        return self.database_url or f"sqlite:///{(self.data_dir / 'rushes.db').absolute()}"


def read(settings: type[S]) -> S:
    """Raises CannotStart with the setting's name and what is wrong with it."""
    try:
        return settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = settings.model_config.get("env_prefix", "") + "_".join(map(str, first["loc"])).upper()
        raise CannotStart(f"the setting {name} is not right: {first['msg']}.") from error


def read_settings() -> Settings:
    """Raises CannotStart."""
    settings = read(Settings)
    if settings.host not in LOOPBACK:
        raise CannotStart(
            f"RUSHES_HOST is {settings.host}, and there is no sign-in yet, so anybody on the network could "
            "use your keys. Leave it at 127.0.0.1 and reach it through an SSH tunnel."
        )
    if not settings.resolved_database_url.startswith("sqlite:///"):
        raise CannotStart("RUSHES_DATABASE_URL must name an SQLite file, as sqlite:////path/rushes.db.")
    if bool(settings.chat_url) != bool(settings.chat_model):
        raise CannotStart("set both RUSHES_CHAT_URL and RUSHES_CHAT_MODEL, or neither.")
    return settings
