"""Opens a websocket once, to see whether it opens."""

import aiohttp


class WebSocketRefused(Exception):
    """The handshake was answered with another status than 101."""

    def __init__(self, status: int) -> None:
        super().__init__(f"The handshake was answered with {status}.")
        self.status = status


async def first_message(url: str, *, origin: str) -> str | None:
    """Returns the first text message, or None where no websocket opens or something else comes.

    Waits without a limit of its own. Raises WebSocketRefused.
    """
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout()) as session,
            session.ws_connect(url, headers={"Origin": origin}) as socket,
        ):
            return await socket.receive_str()
    except aiohttp.WSServerHandshakeError as error:
        raise WebSocketRefused(error.status) from error
    except (aiohttp.ClientError, TypeError):
        return None
