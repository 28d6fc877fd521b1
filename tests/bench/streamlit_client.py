"""A browser's part of Streamlit's protocol: open a page, see its buttons, press one, wait."""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import TracebackType

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

DONE = ForwardMsg.ScriptFinishedStatus.FINISHED_SUCCESSFULLY


class StreamlitSession:
    """One session over a websocket. `buttons` are those of the page as it stands, by id."""

    def __init__(
        self,
        base: str,
        page: str,
        query: str = "",
        headers: Mapping[str, str] | None = None,
        through: tuple[str, int] | None = None,
    ) -> None:
        """`headers` in place of those of a browser that shows the server's own page.

        `through` is the host and port that `base` leads to, as by a tunnel.
        """
        self._through = {"host": through[0], "port": through[1]} if through else {}
        self._address = base.replace("http://", "ws://") + "/_stcore/stream"
        self._headers = {"Origin": base} if headers is None else headers
        self._page, self._query = page, query
        self._script = ""
        self._socket: ClientConnection | None = None
        self.buttons: dict[str, str] = {}
        self.texts: list[str] = []

    async def __aenter__(self) -> StreamlitSession:
        self._socket = await connect(
            self._address,
            subprotocols=["streamlit"],
            additional_headers=self._headers,
            max_size=None,
            **self._through,
        )  # type: ignore[arg-type]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._socket is not None:
            await self._socket.close()

    async def open(self) -> float:
        """Ask for the page; returns the seconds until its script has finished."""
        return await self._rerun("")

    async def go(self, page: str, query: str) -> float:
        """Follow a link to a page of the app; returns the seconds until its script has finished."""
        self._page, self._query, self._script = page, query, ""
        return await self._rerun("")

    async def press(self, button: str) -> float:
        """Press a button; returns the seconds until the script that it starts has finished."""
        return await self._rerun(button)

    async def _rerun(self, pressed: str) -> float:
        assert self._socket is not None
        message = BackMsg()
        state = message.rerun_script
        state.query_string, state.page_script_hash = self._query, self._script
        if not self._script:
            state.page_name = self._page
        if pressed:
            state.widget_states.widgets.add(id=pressed, trigger_value=True)
        began = time.perf_counter()
        await self._socket.send(message.SerializeToString())
        while True:
            answer = ForwardMsg()
            data = await self._socket.recv()
            answer.ParseFromString(data if isinstance(data, bytes) else data.encode())
            kind = answer.WhichOneof("type")
            if kind == "navigation":
                self._script = answer.navigation.page_script_hash
            elif kind == "new_session":
                self.buttons, self.texts = {}, []
            elif kind == "delta" and answer.delta.WhichOneof("type") == "new_element":
                self._see(answer.delta.new_element)
            elif kind == "script_finished" and answer.script_finished == DONE:
                return time.perf_counter() - began

    def _see(self, element: object) -> None:
        kind = element.WhichOneof("type")  # type: ignore[attr-defined]
        if kind == "button":
            self.buttons[element.button.id] = element.button.label  # type: ignore[attr-defined]
        elif kind in ("html", "markdown", "heading", "exception"):
            shown = getattr(element, kind)
            self.texts.append(getattr(shown, "body", "") or getattr(shown, "message", ""))
