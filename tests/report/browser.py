"""A headless Chromium, spoken to over two pipes."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest

_SECONDS = 60.0
_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
_FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run")
Message = dict[str, Any]


def chromium() -> str:
    """The browser; without one the test is skipped."""
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        pytest.skip(f"no browser: none of {', '.join(_NAMES)} is on PATH")
    return found


def _connect(to_browser: int, from_browser: int) -> None:
    """Gives a child the pipes where it looks for them."""
    os.dup2(to_browser, 3)
    os.dup2(from_browser, 4)


class Browser:
    """A browser with one page at a time, by the Chrome DevTools protocol."""

    def __init__(self, profile: Path) -> None:
        self._count, self._rest, self._session = 0, b"", ""
        self._events: list[Message] = []
        to_browser, from_browser = os.pipe(), os.pipe()
        # Their numbers must not be 3 or 4, which the browser is going to have.
        ends = [fcntl.fcntl(end, fcntl.F_DUPFD, 20) for end in (to_browser[0], from_browser[1])]
        self._in, self._out = from_browser[0], to_browser[1]
        command = [chromium(), *_FLAGS, "--remote-debugging-pipe", f"--user-data-dir={profile}", "about:blank"]
        self._process = subprocess.Popen(
            command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(3, 4),
            preexec_fn=partial(_connect, *ends),
        )
        for end in (*ends, to_browser[0], from_browser[1]):
            os.close(end)

    def __enter__(self) -> Browser:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.ask("Browser.close", session=False)
        self._process.wait(_SECONDS)
        os.close(self._in)
        os.close(self._out)

    def ask(self, method: str, *, session: bool = True, **given: Any) -> Message:
        """Sends a command and waits for its answer."""
        self._count += 1
        message = {"id": self._count, "method": method, "params": given}
        if session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while (answer := self._next()).get("id") != self._count:
            self._events.append(answer)
        assert "error" not in answer, f"{method}: {answer['error']}"
        found: Message = answer["result"]
        return found

    def _next(self) -> Message:
        end = time.monotonic() + _SECONDS
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._in], [], [], end - time.monotonic())
            assert ready, "the browser does not answer"
            part = os.read(self._in, 1 << 20)
            assert part, "the browser has gone"
            self._rest += part
        message, _, self._rest = self._rest.partition(b"\0")
        found: Message = json.loads(message)
        return found

    @contextmanager
    def page(self, path: Path, width: int, height: int, *, dark: bool = False, scripts: bool = True) -> Iterator[Page]:
        """Opens a file at a size of window, and closes it."""
        target = self.ask("Target.createTarget", session=False, url="about:blank")["targetId"]
        attached = self.ask("Target.attachToTarget", session=False, targetId=target, flatten=True)
        self._session, self._events = attached["sessionId"], []
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.ask("Emulation.setDeviceMetricsOverride", **size)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.ask("Emulation.setEmulatedMedia", features=[scheme])
        self.ask("Emulation.setScriptExecutionDisabled", value=not scripts)
        self.ask("Page.navigate", url=path.as_uri())
        while not any(event.get("method") == "Page.loadEventFired" for event in self._events):
            self._events.append(self._next())
        yield Page(self)
        self.ask("Target.closeTarget", session=False, targetId=target)

    def seen(self, *methods: str) -> list[Message]:
        """Events of the open page so far."""
        self.ask("Runtime.evaluate", expression="1")
        return [event["params"] for event in self._events if event.get("method") in methods]


class Page:
    """An open page."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser

    def run(self, script: str) -> Any:
        """The value of an expression in the page."""
        found = self._browser.ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def complaints(self) -> list[str]:
        """What the console and the log say, errors and warnings alike."""
        seen = self._browser.seen("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded")
        return [json.dumps(each) for each in seen]

    def requests(self) -> list[str]:
        """Every address asked for."""
        return [each["request"]["url"] for each in self._browser.seen("Network.requestWillBeSent")]

    def press(self, key: str) -> None:
        """Presses a key."""
        for kind in ("keyDown", "keyUp"):
            text = {"text": "\r"} if key == "Enter" else {}
            given = {"key": key, "code": key, "windowsVirtualKeyCode": _KEYS[key]}
            self._browser.ask("Input.dispatchKeyEvent", type=kind, **given, **text)

    def point(self, x: float, y: float) -> None:
        """Moves the pointer."""
        self._browser.ask("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def picture(self, path: Path, *, whole: bool = False) -> None:
        """Keeps a picture of the window, or of the whole page."""
        found = self._browser.ask("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(found["data"]))

    def on_paper(self) -> None:
        """Shows the page as it is printed."""
        self._browser.ask("Emulation.setEmulatedMedia", media="print")

    def printed(self) -> bytes:
        """The page as a PDF."""
        return base64.b64decode(self._browser.ask("Page.printToPDF", printBackground=True)["data"])


_KEYS = {"Tab": 9, "Enter": 13, "ArrowLeft": 37, "ArrowRight": 39, "Home": 36, "End": 35}
