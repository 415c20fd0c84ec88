"""Everything an admin can set: environment variables or a `.env` file beside main.py."""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    model_config = SettingsConfigDict(
        env_file=".env", env_prefix="RUSHES_", extra="ignore", frozen=True, populate_by_name=True
    )

    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    public_url: str | None = None
    data_dir: Path = Path("data")
    database_url: str | None = None
    animatic: bool = True
    superduperai_url: str | None = Field(default=None, validation_alias="SUPERDUPERAI_URL")
    superduperai_token: SecretStr | None = Field(default=None, validation_alias="SUPERDUPERAI_TOKEN")
    poll_every_s: float = Field(default=10.0, gt=0, le=3600)
    poll_attempts: int = Field(default=18, ge=1, le=10_000)
    chat_poll_after_s: float = Field(default=30.0, ge=0, le=3600)
    chat_url: str | None = None
    chat_key: SecretStr | None = None
    chat_model: str | None = None
    stream_silence_s: float = Field(default=45.0, gt=0, le=3600)
    watch_for_s: float = Field(default=86_400.0, gt=0)

    @field_validator("public_url")
    @classmethod
    def _an_origin(cls, url: str | None) -> str | None:
        if url is not None and not re.fullmatch(r"https?://[^\s/]+/?", url):
            raise ValueError("it must be an address without a path, as https://rushes.example")
        return url

    @field_validator("chat_url")
    @classmethod
    def _an_address(cls, url: str | None) -> str | None:
        if url is not None and not re.fullmatch(r"https?://[^\s/@?#]+(/[^\s?#]*)?", url):
            raise ValueError("it must be an address, as http://127.0.0.1:11434/v1")
        return url

    @property
    def media_dir(self) -> Path:
        return self.data_dir / "media"

    @property
    def resolved_database_url(self) -> str:
        return self.database_url or f"sqlite:///{(self.data_dir / 'rushes.db').absolute()}"
