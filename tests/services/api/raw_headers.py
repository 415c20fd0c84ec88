"""Requests with chosen headers."""

from __future__ import annotations

from fastapi import FastAPI

from tests.services.api.stand_in import client_of


async def status_of(app: FastAPI, headers: list[tuple[str, str]], method: str = "GET") -> int:
    async with client_of(app) as client:
        sent = [(name.encode(), value.encode()) for name, value in headers]
        request = client.build_request(method, "/api/files", headers=sent)
        if not any(name == "Host" for name, _ in headers):
            request.headers["Host"] = "localhost:8080"
        return (await client.send(request)).status_code
