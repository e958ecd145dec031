"""The desk over HTTP: what pages ask for, and what they may not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from reelmend.desk.desk import Desk
from reelmend.desk.files import Roots
from reelmend.desk.project import Project

pytest.importorskip("fastapi", reason="the extra [gui] is not installed")

from fastapi import FastAPI
from starlette.testclient import TestClient

from reelmend.gui.api import make_api, say_errors
from reelmend.gui.safety import LARGEST_REQUEST, Guard


@pytest.fixture
def desk(media: Path, tmp_path: Path) -> Iterator[Desk]:
    made = Desk(Project(tmp_path / "desk", Roots([media])))
    made.project.add(media / "scan.mkv").set_options(detector="spike", repairer="temporal")
    yield made
    made.close()


def client_of(desk: Desk, token: str | None = None, host: str = "http://localhost:8080") -> TestClient:
    app = FastAPI()
    app.include_router(make_api(desk))
    say_errors(app)
    return TestClient(Guard(app, token), base_url=host, raise_server_exceptions=False)  # type: ignore[arg-type]


@pytest.fixture
def client(desk: Desk) -> Iterator[TestClient]:
    with client_of(desk) as made:
        yield made


REEL = "/api/reels/scan"


def plane(body: bytes) -> np.ndarray:
    found = cv2.imdecode(np.frombuffer(body, np.uint8), cv2.IMREAD_UNCHANGED)
    assert found is not None
    return found


def test_a_days_work(client: TestClient, desk: Desk) -> None:
    facts = client.get(REEL).json()
    assert facts["stale"] and facts["searched"] == 0 and facts["edits"] == 0
    height, width = facts["height"], facts["width"]
    assert plane(client.get(f"{REEL}/frames/3.jpg").content).shape[:2] == (height, width)
    assert plane(client.get(f"{REEL}/frames/3.jpg?width=64").content).shape[1] == 64
    assert client.post(f"{REEL}/search").json()["kind"] == "search"
    desk.queue.wait()
    assert [one["state"] for one in client.get("/api/tasks").json()] == ["done"]
    timeline = client.get(f"{REEL}/timeline").json()
    worst = int(np.argmax(timeline["damaged"]))
    assert timeline["damaged"][worst] > 0 and timeline["shots"][0] == 0
    mask = plane(client.get(f"{REEL}/masks/{worst}.png").content) > 0
    assert mask.mean() == pytest.approx(timeline["damaged"][worst], abs=1e-6)
    blob = client.get(f"{REEL}/blobs/{worst}").json()[0]
    assert {"probability", "kind", "polarity", "area"} <= blob.keys()
    # Everything found is more than what a high threshold leaves, and less than a low one.
    low, high = (plane(client.get(f"{REEL}/masks/{worst}.png?threshold={t}").content) > 0 for t in (0.1, 0.99))
    assert low.sum() >= mask.sum() >= high.sum()
    at = [blob["x"], blob["y"]]
    assert client.post(f"{REEL}/edits", json={"kind": "reject", "frame": worst, "at": at}).json() == {"edits": 1}
    edited = plane(client.get(f"{REEL}/masks/{worst}.png").content) > 0
    assert edited.sum() < mask.sum()
    assert client.post(f"{REEL}/undo").json()["edit"]["kind"] == "reject"
    np.testing.assert_array_equal(plane(client.get(f"{REEL}/masks/{worst}.png").content) > 0, mask)
    assert client.post(f"{REEL}/redo").json()["edit"]["kind"] == "reject"
    assert client.post(f"{REEL}/redo").json()["edit"] is None
    assert client.get(f"{REEL}/timeline").json()["edited"] == [worst]
    shown = client.get(f"{REEL}/repaired/{worst}.jpg?repairer=spatial&regrain=false")
    assert plane(shown.content).shape[:2] == (height, width) and float(shown.headers["x-seconds"]) >= 0
    origins = plane(client.get(f"{REEL}/origins/{worst}.png").content)
    assert (origins[edited] > 0).all()
    names = client.get(f"{REEL}/stages/{worst}").json()
    assert names[0] == "source" and plane(client.get(f"{REEL}/stages/{worst}/1.jpg").content).shape[1] == width
    assert client.post(f"{REEL}/review", json={"first": 0, "state": "approved"}).json() == {"0": "approved"}
    assert client.patch(f"{REEL}/options", json={"grow": 3}).json()["options"]["repair"]["grow"] == 3
    task = client.post(f"{REEL}/render", json={"film": "out.mkv", "options": {"regrain": False}}).json()
    assert task["title"] == "Render out.mkv"
    desk.queue.wait()
    assert client.get("/api/tasks").json()[-1]["state"] == "done"
    assert (desk.project.reel("scan").folder / "renders" / "out.mkv").exists()


@pytest.mark.parametrize(
    ("method", "path", "body", "said"),
    [
        ("get", "/api/reels/none", None, "no reel none"),
        ("get", f"{REEL}/frames/99999999.jpg", None, "no frame 99999999"),
        ("get", f"{REEL}/frames/{10**30}.jpg", None, "number"),
        ("get", f"{REEL}/frames/-4.jpg", None, "number"),
        ("get", f"{REEL}/frames/x.jpg", None, "number"),
        ("get", f"{REEL}/frames/3.jpg?width=0", None, "width"),
        ("get", f"{REEL}/masks/3.png?threshold=nan", None, "threshold"),
        ("get", f"{REEL}/repaired/3.jpg?repairer=magic", None, "no repairer magic"),
        ("get", f"{REEL}/repaired/3.jpg?repairer=/etc/x.json", None, "by name"),
        ("post", f"{REEL}/edits", {"kind": "spell"}, "no edit"),
        ("post", f"{REEL}/edits", {"kind": "reject", "frame": 10**7, "at": [0, 0]}, "no frame 10000000"),
        ("post", f"{REEL}/edits", ["stroke"], "request"),
        ("patch", f"{REEL}/options", {"strength": "brutal"}, "strength"),
        ("patch", f"{REEL}/options", {"output": "/etc/passwd"}, "project's to choose"),
        ("patch", f"{REEL}/options", {"detector": "../../x.json"}, "by name"),
        ("post", f"{REEL}/render", {"film": "../out.mkv"}, "no file name"),
        ("post", f"{REEL}/render", {"film": "/etc/out.mkv"}, "no file name"),
        ("post", f"{REEL}/render", {"film": "out.mkv", "options": {"report": "/etc"}}, "project's to choose"),
        ("post", f"{REEL}/review", {"first": 0, "state": "lovely"}, "to do, approved"),
        ("post", "/api/reels", {"source": "/etc/passwd"}, "outside the folders"),
        ("get", "/api/folders?path=/etc", None, "outside the folders"),
        ("post", "/api/tasks/1/dance", None, "pause, go-on, give-up"),
    ],
)
def test_mistakes_are_sentences(client: TestClient, method: str, path: str, body: object, said: str) -> None:
    answer = client.request(method, path, json=body) if body is not None else client.request(method, path)
    assert answer.status_code == 400, answer.text
    assert said in answer.json()["error"]


def test_folders_show_what_can_be_opened(client: TestClient, media: Path) -> None:
    listed = client.get("/api/folders").json()
    assert listed["path"] == str(media)
    assert ("scan.mkv", False) in [(one["name"], one["folder"]) for one in listed["entries"]]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"origin": "http://localhost:8080"}, 200),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"host": "evil.example"}, 403),
        ({"host": "127.0.0.1.evil.example:8080"}, 403),
        ({"host": "[::1]:8080"}, 200),
        ({"content-length": str(LARGEST_REQUEST + 1)}, 413),
    ],
)
def test_other_pages_are_refused(client: TestClient, headers: dict[str, str], status: int) -> None:
    answer = client.post(f"{REEL}/undo", headers=headers)
    assert answer.status_code == status, answer.text
    if status == 200:
        assert answer.headers["x-frame-options"] == "DENY"


def test_a_token_opens_the_desk_to_other_machines(desk: Desk) -> None:
    with client_of(desk, "secret", "http://desk.example") as client:
        assert client.get("/api/reels").status_code == 401
        assert client.get("/api/reels?token=wrong").status_code == 401
        assert client.get("/api/reels?token=secret").status_code == 200
        # The address sets a cookie; from then on the pages work without it.
        assert client.get("/api/reels").status_code == 200
        # A wrong one beside the cookie changes nothing, and is not given back.
        answer = client.get("/api/reels?token=wrong%3B%20Domain%3Devil.example")
        assert answer.status_code == 200 and "set-cookie" not in answer.headers
        assert client.get("/api/reels").status_code == 200
        assert client.post(f"{REEL}/undo", headers={"origin": "http://evil.example"}).status_code == 403


def test_endless_bodies_end(client: TestClient) -> None:
    def body() -> Iterator[bytes]:
        for _ in range(2 + LARGEST_REQUEST // (1 << 20)):
            yield b" " * (1 << 20)

    answer = client.post(f"{REEL}/edits", content=body(), headers={"content-type": "application/json"})
    assert answer.status_code >= 400
