"""The desk over HTTP: what pages ask for, and what they may not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import cv2
import numpy as np
import pytest

from reelmend.cli.app import app
from reelmend.config import Job
from reelmend.desk.desk import Desk
from reelmend.desk.files import Roots
from reelmend.desk.project import Project

pytest.importorskip("fastapi", reason="the extra [gui] is not installed")

from fastapi import FastAPI
from starlette.testclient import TestClient
from typer.testing import CliRunner

from reelmend.gui.api import make_api, say_errors
from reelmend.gui.safety import LARGEST_REQUEST, Guard


@pytest.fixture
def desk(media: Path, tmp_path: Path) -> Iterator[Desk]:
    made = Desk(Project(tmp_path / "desk", Roots([media])))
    made.project.add(media / "scan.mkv").set_options(detector="spike", repairer="temporal")
    yield made
    made.close()


def client_of(desk: Desk, token: str | None = None, host: str = "http://localhost:8080") -> TestClient:
    served = FastAPI()
    served.include_router(make_api(desk))
    say_errors(served)
    return TestClient(Guard(served, token), base_url=host, raise_server_exceptions=False)  # type: ignore[arg-type]


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
    assert {"probability", "kind", "polarity", "area", "since", "frames"} <= blob.keys()
    assert 0 < blob["probability"] <= 1 and blob["since"] <= worst < blob["since"] + blob["frames"]
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


def test_a_line_is_followed_through_its_stretch(client: TestClient, desk: Desk) -> None:
    line = {"kind": "line", "first": 2, "last": 6, "start": [40, 10], "end": [40, 60], "width": 2}
    assert client.post(f"{REEL}/follow/4", json=line).json() == {"edits": 1}
    made = client.get(f"{REEL}/edits").json()[0]
    assert len(made["shifts"]) == 5 and made["shifts"][2] == 0
    for number, body, said in (
        (7, line, "not between 2 and 6"),
        (4, {"kind": "reject", "frame": 4, "at": [1, 1]}, "only a line"),
        (4, line | {"shifts": [1]}, "1 shifts for 5 frames"),
    ):
        answer = client.post(f"{REEL}/follow/{number}", json=body)
        assert answer.status_code == 400 and said in answer.json()["error"]
    assert client.get(REEL).json()["edits"] == 1


def test_a_render_its_files_and_its_job(client: TestClient, desk: Desk, tmp_path: Path) -> None:
    client.patch(f"{REEL}/options", json={"repairer": "spatial"})
    client.post(f"{REEL}/search")
    desk.queue.wait()
    timeline = client.get(f"{REEL}/timeline").json()
    frames = len(timeline["damaged"])
    assert timeline["rendered"] == [0] * frames and timeline["unsure"] == [None] * frames
    worst = int(np.argmax(timeline["damaged"]))
    client.post(f"{REEL}/edits", json={"kind": "stroke", "frame": worst, "points": [[30, 30]], "radius": 5})
    assert client.get(f"{REEL}/renders").json() == []
    # What is looked at with the reel's own options is kept; with others it is not.
    assert client.get(f"{REEL}/repaired/{worst}.jpg?grow=7").status_code == 200
    assert client.get(f"{REEL}/timeline").json()["rendered"] == [0] * frames
    assert client.get(f"{REEL}/repaired/{worst}.jpg").status_code == 200
    assert client.get(f"{REEL}/timeline").json()["rendered"] == [int(n == worst) for n in range(frames)]
    body = {"film": "restored.mkv", "masks": True, "origins": True, "report": True}
    assert client.post(f"{REEL}/render", json=body).json()["repaired"] == 0
    desk.queue.wait()
    done = client.get("/api/tasks").json()[-1]
    assert (done["state"], done["done"]) == ("done", frames) and done["repaired"] > 1
    timeline = client.get(f"{REEL}/timeline").json()
    assert timeline["rendered"] == [1] * frames and timeline["unsure"][worst] > 0
    assert all(0 <= one <= 1 for one in timeline["unsure"])
    names = {one["name"]: one for one in client.get(f"{REEL}/renders").json()}
    films = ["restored.mkv", "restored.masks.mkv", "restored.origins.mkv"]
    assert names.keys() == {*films, "restored.report", "restored.report.html"}
    for name in [*films, "restored.report.html"]:
        answer = client.get(f"{REEL}/renders/{name}")
        assert answer.content == (desk.project.reel("scan").renders / name).read_bytes()
        assert len(answer.content) == names[name]["bytes"]
        assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'
        assert answer.headers["content-type"] == "application/octet-stream"
    assert datetime.fromisoformat(names["restored.mkv"]["when"]).tzinfo
    assert "is there already" in client.post(f"{REEL}/render", json=body).json()["error"]
    client.post(f"{REEL}/render", json=body | {"overwrite": True})
    desk.queue.wait()
    again = client.get("/api/tasks").json()[-1]
    assert (again["state"], again["repaired"]) == ("done", 0)
    # The same job on the command line.
    told = client.get(f"{REEL}/job.toml?film=restored.mkv&masks=true&origins=true&report=true")
    assert told.headers["content-disposition"] == 'attachment; filename="job.toml"'
    (tmp_path / "job.toml").write_bytes(told.content)
    rendered = client.get(f"{REEL}/renders/restored.mkv").content
    job = Job.from_toml(tmp_path / "job.toml")
    elsewhere = [str(job.source), str(job.masks), str(tmp_path / "out.mkv"), "--origins", str(tmp_path / "o"),
                 "--report", str(tmp_path / "report"), "--edited-masks", str(tmp_path / "m")]  # fmt: skip
    for more, place in ((elsewhere, tmp_path / "out.mkv"), (["--overwrite"], job.output)):
        run = CliRunner().invoke(app, ["repair", *more, "--job", str(tmp_path / "job.toml"), "--quiet"])
        assert run.exit_code == 0, run.output
        assert place and place.read_bytes() == rendered
    assert (tmp_path / "o").exists() and (tmp_path / "report" / "report.html").exists() and (tmp_path / "m").exists()


@pytest.mark.parametrize("name", [
    "%2e%2e", "..%2fjob.toml", "%2e%2e%2fjob.toml", "..%5cjob.toml", ".out.mkv.reelmend", "none.mkv", "%00",
    "%2fetc%2fpasswd", "a/b",
])  # fmt: skip
def test_nothing_but_renders_is_handed_out(client: TestClient, desk: Desk, name: str) -> None:
    desk.project.reel("scan").set_options(grow=3)
    (desk.project.reel("scan").renders / ".out.mkv.reelmend").mkdir()
    answer = client.get(f"{REEL}/renders/{name}")
    assert answer.status_code in (400, 404)
    assert "error" in answer.json() or answer.json() == {"detail": "Not Found"}


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
        ("post", f"{REEL}/render", {"film": "out.masks.mkv"}, "what goes with a film"),
        ("post", f"{REEL}/render", {"film": "out.mkv", "masks": "/etc"}, "masks"),
        ("post", f"{REEL}/render", {"film": "out.mkv", "options": {"entry": 1}}, "entry"),
        ("post", f"{REEL}/render", {"film": "out.mkv", "options": {"film": "x.mkv"}}, "film"),
        ("patch", f"{REEL}/options", {"self": 1}, "self"),
        ("patch", f"{REEL}/options", {"base": 1}, "base"),
        ("get", f"{REEL}/job.toml?film=../x.mkv", None, "no file name"),
        ("get", "/api/reels/none/renders", None, "no reel none"),
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
