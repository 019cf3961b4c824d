"""Files on the web: a server of its own on this machine."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.commands.configs import SMALL, flowers, write_csv
from tests.conftest import Dlcli

pytest.importorskip("fsspec")
pytest.importorskip("aiohttp")


class _Files(BaseHTTPRequestHandler):
    """Hands out the flowers, whatever the query; anything else is not there, or breaks."""

    def do_GET(self) -> None:
        text = "".join(",".join(row) + "\n" for row in flowers()).encode()
        known = {"/flowers.csv": text, "/flowers.csv.gz": gzip.compress(text)}
        place = self.path.partition("?")[0]
        status = 500 if place == "/broken.csv" else 200 if place in known else 404
        self.send_response(status)
        self.send_header("Content-Length", str(len(known.get(place, b""))))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(known.get(place, b""))

    do_HEAD = do_GET  # noqa: N815 - as above

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as above
        """Silent."""


@pytest.fixture(scope="module")
def web() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Files) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def trained(dlcli: Dlcli, web: str) -> Dlcli:
    """A folder with a run on the file at an address, and no file."""
    config = SMALL.replace("csv: flowers.csv", f"csv: '{web}/flowers.csv'").replace("epochs: 6", "epochs: 2")
    (dlcli.folder / "small.yaml").write_text(config)
    done = dlcli("train", "small.yaml")
    assert done.exit_code == 0, done.output
    return dlcli


def test_a_run_on_an_address_is_that_on_a_copy(trained: Dlcli, web: str) -> None:
    write_csv(trained.folder / "flowers.csv", flowers())
    (trained.folder / "copy.yaml").write_text(SMALL.replace("epochs: 6", "epochs: 2"))
    assert trained("train", "copy.yaml").exit_code == 0
    far, near = (json.loads((trained.folder / f"runs/{run}-001/scores.json").read_text()) for run in ("small", "copy"))
    assert far == near
    assert f"{web}/flowers.csv" in (trained.folder / "runs/small-001/resolved.yaml").read_text()
    assert trained("evaluate", "small-001").exit_code == 0


def test_rows_at_an_address_are_predicted_and_scored(trained: Dlcli, web: str) -> None:
    write_csv(trained.folder / "flowers.csv", flowers())
    near = trained("predict", "small-001", "flowers.csv")
    for place in ("flowers.csv", "flowers.csv.gz", "flowers.csv?version=2"):
        far = trained("predict", "small-001", f"{web}/{place}")
        assert (far.exit_code, far.stdout) == (0, near.stdout), far.stderr
    done = trained("evaluate", "small-001", "--data", f"{web}/flowers.csv")
    assert done.exit_code == 0
    assert f"file  {web}/flowers.csv" in done.stdout


def test_a_first_config_names_the_address(dlcli: Dlcli, web: str) -> None:
    done = dlcli("init", f"{web}/flowers.csv", "--target", "kind", "-o", "first.yaml")
    assert done.exit_code == 0, done.output
    assert f"csv: {web}/flowers.csv" in (dlcli.folder / "first.yaml").read_text().replace('"', "").replace("'", "")
    assert dlcli("check", "first.yaml", "--data").exit_code == 0


@pytest.mark.parametrize(
    ("place", "said"),
    [("none.csv", "file not found: {address}"), ("broken.csv", "cannot read {address}: 500")],
)
def test_what_cannot_be_had_is_one_clear_message(trained: Dlcli, web: str, place: str, said: str) -> None:
    address = f"{web}/{place}"
    done = trained("predict", "small-001", address)
    assert done.exit_code == 3
    assert said.format(address=address) in done.stderr
    assert "Traceback" not in done.stderr


def test_a_server_that_is_not_there(dlcli: Dlcli, tmp_path: Path) -> None:
    config = SMALL.replace("csv: flowers.csv", "csv: 'http://127.0.0.1:9/flowers.csv'")
    (tmp_path / "small.yaml").write_text(config)
    done = dlcli("train", "small.yaml")
    assert done.exit_code == 3
    assert "small.yaml:2" in done.stderr
    assert "cannot read http://127.0.0.1:9/flowers.csv" in done.stderr
    assert not (tmp_path / "runs").exists()
