"""Follows redirects, one checked hop at a time."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing, asynccontextmanager

import httpx

MAX_REDIRECTS = 3
REDIRECT_STATUSES = frozenset({301, 302, 303, 307, 308})


class RedirectFailed(httpx.HTTPError):
    """A redirect has no readable target, or there are too many."""


async def follow_redirects(
    url: httpx.URL, send: Callable[[httpx.URL], Awaitable[httpx.Response]], *, at_most: int = MAX_REDIRECTS
) -> httpx.Response:
    """Returns the first response that is no redirect, with its body unread; the caller closes it.

    `send` requests each URL in turn and refuses a target by raising. Raises RedirectFailed.
    """
    for _ in range(at_most + 1):
        response = await send(url)
        if response.status_code not in REDIRECT_STATUSES:
            return response
        await response.aclose()
        if not (location := response.headers.get("Location")):
            raise RedirectFailed("A redirect without a Location.")
        try:
            url = url.join(location)
        except (httpx.InvalidURL, ValueError) as error:
            raise RedirectFailed("A redirect to an unreadable URL.") from error
    raise RedirectFailed(f"More than {at_most} redirects.")


@asynccontextmanager
async def get_anywhere(
    client: httpx.AsyncClient, url: str, headers: Mapping[str, str]
) -> AsyncIterator[httpx.Response]:
    """Follows redirects to any host: `headers` must hold no key. Raises httpx.HTTPError, httpx.InvalidURL."""

    async def send(target: httpx.URL) -> httpx.Response:
        return await client.send(client.build_request("GET", target, headers=headers), stream=True)

    async with aclosing(await follow_redirects(httpx.URL(url), send)) as response:
        yield response
