"""What the pages beside the viewer ask for: models, trials, films that were dropped."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from reelmend.desk.desk import Desk
from reelmend.desk.files import Roots
from reelmend.desk.project import Project
from reelmend.desk.uploads import Uploads
from reelmend.detect import DETECTORS
from reelmend.media import open_mask_reader

pytest.importorskip("fastapi", reason="the extra [gui] is not installed")

from fastapi import FastAPI
from starlette.testclient import TestClient

from reelmend.gui.api import say_errors
from reelmend.gui.pages import make_pages
from reelmend.gui.safety import LARGEST_REQUEST, Guard

REEL = "/api/reels/scan"


@pytest.fixture
def desk(media: Path, tmp_path: Path) -> Iterator[Desk]:
    made = Desk(Project(tmp_path / "desk", Roots([media, tmp_path / "uploads"])))
    made.project.add(media / "scan.mkv").set_options(detector="spike", repairer="temporal")
    yield made
    made.close()


@pytest.fixture
def client(desk: Desk, tmp_path: Path) -> Iterator[TestClient]:
    app = FastAPI()
    app.include_router(make_pages(desk, Uploads(tmp_path / "uploads", largest=20 << 20)))
    say_errors(app)
    guarded = Guard(app)
    with TestClient(guarded, base_url="http://localhost:8080", raise_server_exceptions=False) as made:  # type: ignore[arg-type]
        yield made


def test_models_are_those_of_the_package(client: TestClient) -> None:
    listed = client.get("/api/models").json()
    assert [one["name"] for one in listed["detectors"]] == list(DETECTORS)
    assert all(one["about"].endswith(".") for one in listed["repairers"])
    assert "standard" in client.get("/api/recipes").json()


def test_a_trial_is_scored_against_the_truth_and_shown(client: TestClient, desk: Desk) -> None:
    assert client.get(f"{REEL}/trial").json() is None
    assert client.get(f"{REEL}/trial/0.jpg").status_code == 400
    task = client.post(f"{REEL}/trial", json={"recipe": "standard", "seed": 3, "start": 2, "frames": 6}).json()
    assert (task["kind"], task["total"]) == ("trial", 12)
    desk.queue.wait()
    assert [(one.state, one.done) for one in desk.queue.tasks()] == [("done", 12)]
    told = client.get(f"{REEL}/trial").json()
    assert told["searched_by"] == "spike at standard strength" and told["start"] == 2
    folder = desk.project.reel("scan").folder / "trial"
    height, width = desk.reel("scan").size
    hits = alarms = misses = 0
    with (
        open_mask_reader(folder / "found", height, width) as found,
        open_mask_reader(folder / "truth", height, width) as true,
    ):
        for number, row in enumerate(told["per_frame"]):
            ours, truth = found.mask(number), true.mask(number)
            assert row == [int((ours & truth).sum()), int((ours & ~truth).sum()), int((truth & ~ours).sum())]
            hits, alarms, misses = hits + row[0], alarms + row[1], misses + row[2]
    assert hits and told["scores"]["dice"] == pytest.approx(2 * hits / (2 * hits + alarms + misses))
    worst = int(np.argmax([sum(row) for row in told["per_frame"]]))
    plain, marked, safe = (
        cv2.imdecode(np.frombuffer(client.get(f"{REEL}/trial/{worst}.jpg?{query}").content, np.uint8), 1)
        for query in ("marked=false", "", "safe=true")
    )
    assert plain.shape == marked.shape == (height, width, 3)
    assert np.abs(plain.astype(int) - marked).max() > 60
    assert np.abs(marked.astype(int) - safe).max() > 20
    # Another trial replaces it.
    client.post(f"{REEL}/trial", json={"recipe": "scratched", "frames": 2})
    desk.queue.wait()
    assert client.get(f"{REEL}/trial").json()["recipe"] == "scratched"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"recipe": "../x"}, "there is no recipe ../x"),
        ({"recipe": "standard", "frames": 100_000}, "frames"),
        ({"recipe": "standard", "start": 5000}, "has no frame 5000"),
        ({"recipe": "standard", "output": "x"}, "output"),
    ],
)
def test_a_trial_that_cannot_be(client: TestClient, values: dict[str, object], words: str) -> None:
    answer = client.post(f"{REEL}/trial", json=values)
    assert answer.status_code == 400 and words in answer.json()["error"]


def test_a_dropped_film_becomes_a_reel(client: TestClient, desk: Desk, media: Path) -> None:
    body = (media / "scan.mkv").read_bytes()
    assert client.put("/api/uploads/b1/my reel.mkv", content=body).json() == {"bytes": len(body)}
    made = client.post("/api/uploads/b1").json()
    assert made["id"] == "my-reel"
    assert desk.reel("my-reel").stills.facts.frames == desk.reel("scan").stills.facts.frames


def test_what_is_no_film_is_refused_with_a_sentence(client: TestClient, desk: Desk) -> None:
    client.put("/api/uploads/b2/evil.sh", content=b"#!/bin/sh\ntouch x\n")
    answer = client.post("/api/uploads/b2")
    assert answer.status_code in (400, 500) and "evil.sh" in answer.json()["error"]
    assert [one.id for one in desk.project.reels()] == ["scan"]
    for batch, name in (("..", "x.mkv"), ("b", "..%2fx.mkv"), (".b", "x.mkv"), ("b", ".x")):
        assert client.put(f"/api/uploads/{batch}/{name}", content=b"x").status_code in (400, 404, 405)


def test_uploads_may_be_large_and_nothing_else_may(client: TestClient) -> None:
    much = b"x" * (LARGEST_REQUEST + 1)
    assert client.put("/api/uploads/b3/large.mkv", content=much).status_code == 200
    assert client.post(f"{REEL}/trial", content=much).status_code == 413
    answer = client.put("/api/uploads/b3/larger.mkv", content=b"x" * (21 << 20))
    assert answer.status_code == 400 and "larger than 20 MB" in json.loads(answer.content)["error"]
