"""What pages ask the desk for: pictures by number, findings, edits, tasks; JSON and files over HTTP."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, FastAPI, Path, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from reelmend.config import Job
from reelmend.desk.desk import Desk, OpenReel
from reelmend.desk.kinds import kinds
from reelmend.desk.queue import Task
from reelmend.desk.stills import jpeg, png
from reelmend.edits import Line
from reelmend.edits.journal import parse_operation
from reelmend.errors import ReelMendError, UsageError
from reelmend.gui.renders import render_routes
from reelmend.pipeline.frames import ORIGIN_STEP

Number = Annotated[int, Path(ge=0, le=100_000_000)]
Width = Annotated[int | None, Query(ge=16, le=16_384)]
Threshold = Annotated[float | None, Query(ge=0, le=1)]

FOREVER = {"cache-control": "private, max-age=86400"}
"""Frames of a source do not change."""
NEVER = {"cache-control": "no-store"}


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Add(_Body):
    source: str = Field(max_length=4096)


class ReviewOf(_Body):
    first: int = Field(ge=0)
    state: str = Field(max_length=20)


class Render(_Body):
    film: str = Field(max_length=200)
    options: dict[str, Any] = Field(default_factory=dict, max_length=30)
    masks: bool = False
    origins: bool = False
    report: bool = False
    overwrite: bool = False


def make_api(desk: Desk) -> APIRouter:
    """The routes of a desk, all under `/api`."""
    api = APIRouter(prefix="/api")
    api.include_router(render_routes(desk))

    @api.get("/folders")
    def folders(path: str | None = Query(None, max_length=4096)) -> dict[str, Any]:
        roots = desk.project.roots
        place = roots.check(path) if path else roots.folders[0]
        listed = [{"name": name, "folder": folder, "bytes": size} for name, folder, size in roots.list(place)]
        return {"path": str(place), "roots": [str(one) for one in roots.folders], "entries": listed}

    @api.get("/reels")
    def reels() -> list[dict[str, Any]]:
        return [{"id": one.id, "source": str(one.source)} for one in desk.project.reels()]

    @api.post("/reels")
    def add(body: Add) -> dict[str, Any]:
        entry = desk.project.add(body.source)
        return {"id": entry.id, "source": str(entry.source)}

    @api.get("/reels/{reel}")
    def facts(reel: str) -> dict[str, Any]:
        return told(desk.reel(reel))

    @api.patch("/reels/{reel}/options")
    def options(reel: str, values: dict[str, Any]) -> dict[str, Any]:
        one = desk.reel(reel)
        _no_places(values)
        one.entry.set_options(**values)
        return told(one)

    @api.get("/reels/{reel}/frames/{number}.jpg")
    def frame(reel: str, number: Number, width: Width = None) -> Response:
        return Response(desk.reel(reel).stills.picture(number, width), media_type="image/jpeg", headers=FOREVER)

    @api.get("/reels/{reel}/masks/{number}.png")
    def mask(reel: str, number: Number, threshold: Threshold = None, edited: bool = True) -> Response:
        one = desk.reel(reel)
        found = one.mask(number, threshold) if edited else one.found(number, threshold)
        return Response(png(found.view(np.uint8) * np.uint8(255)), media_type="image/png", headers=NEVER)

    @api.get("/reels/{reel}/kinds/{number}.png")
    def kinds_of(reel: str, number: Number) -> Response:
        one = desk.reel(reel)
        return Response(png(kinds(one.mask(number), one.found(number))), media_type="image/png", headers=NEVER)

    @api.get("/reels/{reel}/damage/{number}.png")
    def damage(reel: str, number: Number) -> Response:
        one = desk.reel(reel)
        plane = np.rint(one.findings.damage(number, *one.size) * 255).astype(np.uint8)
        return Response(png(plane), media_type="image/png", headers=NEVER)

    @api.get("/reels/{reel}/repaired/{number}.jpg")
    def repaired(
        reel: str,
        number: Number,
        repairer: Annotated[str | None, Query(max_length=200)] = None,
        grow: Annotated[int | None, Query(ge=0, le=32)] = None,
        regrain: bool | None = None,
        bias: Annotated[float | None, Query(ge=0, le=4)] = None,
    ) -> Response:
        one = desk.reel(reel)
        job = Job.build(one.entry.job(), repairer=_named(repairer), grow=grow, regrain=regrain, bias=bias)
        done = one.repaired(number, job)
        headers = NEVER | {"x-seconds": f"{done.seconds:.3f}"}
        return Response(jpeg(one.stills.rgb(done.frame)), media_type="image/jpeg", headers=headers)

    @api.get("/reels/{reel}/origins/{number}.png")
    def origins(reel: str, number: Number) -> Response:
        one = desk.reel(reel)
        done = one.repaired(number, one.entry.job())
        plane = done.filled_by * np.uint8(ORIGIN_STEP)
        return Response(png(plane), media_type="image/png", headers=NEVER)

    @api.get("/reels/{reel}/stages/{number}")
    def stages(reel: str, number: Number) -> list[str]:
        return [name for name, _ in desk.reel(reel).stages(number)]

    @api.get("/reels/{reel}/stages/{number}/{place}.jpg")
    def stage(reel: str, number: Number, place: Annotated[int, Path(ge=0, le=100)]) -> Response:
        found = desk.reel(reel).stages(number)
        if place >= len(found):
            raise UsageError(f"a frame has {len(found)} stages; there is no stage {place}")
        return Response(found[place][1], media_type="image/jpeg", headers=NEVER)

    @api.get("/reels/{reel}/blobs/{number}")
    def blobs(reel: str, number: Number) -> list[dict[str, Any]]:
        return [asdict(one) for one in desk.reel(reel).blobs(number)]

    @api.get("/reels/{reel}/timeline")
    def timeline(reel: str) -> Response:
        one = desk.reel(reel)
        records, state = one.findings.records, one.render_state()
        edited = sorted({n for op in one.edits.operations for n in (op.frames.start, op.frames.stop - 1)})
        told = {
            "damaged": [round(record.damaged, 7) for record in records],
            "blobs": [record.blobs for record in records],
            "unsure": state.unsure,
            "rendered": state.rendered.astype(int).tolist(),
            "shots": [n for n, record in enumerate(records) if not n or record.shot != records[n - 1].shot],
            "notes": {n: record.note for n, record in enumerate(records) if record.note},
            "edited": edited,
            "reviews": one.entry.reviews(),
        }
        # Plain values already: what would look through them takes longer than all the rest.
        return JSONResponse(told, headers=NEVER)

    @api.get("/reels/{reel}/edits")
    def edits(reel: str) -> list[dict[str, Any]]:
        return [one.model_dump(mode="json") for one in desk.reel(reel).edits.operations]

    @api.post("/reels/{reel}/edits")
    def edit(reel: str, values: dict[str, Any]) -> dict[str, Any]:
        one = desk.reel(reel)
        one.do(parse_operation(values))
        return {"edits": len(one.edits.operations)}

    @api.post("/reels/{reel}/follow/{number}")
    def follow(reel: str, number: Number, values: dict[str, Any]) -> dict[str, Any]:
        one, line = desk.reel(reel), parse_operation(values)
        if not isinstance(line, Line):
            raise UsageError("only a line can be followed")
        one.follow(line, number)
        return {"edits": len(one.edits.operations)}

    @api.post("/reels/{reel}/undo")
    def undo(reel: str) -> dict[str, Any]:
        done = desk.reel(reel).undo()
        return {"edit": None if done is None else done.model_dump(mode="json")}

    @api.post("/reels/{reel}/redo")
    def redo(reel: str) -> dict[str, Any]:
        done = desk.reel(reel).redo()
        return {"edit": None if done is None else done.model_dump(mode="json")}

    @api.post("/reels/{reel}/review")
    def review(reel: str, body: ReviewOf) -> dict[int, str]:
        entry = desk.reel(reel).entry
        entry.set_review(body.first, body.state)
        return dict(entry.reviews())

    @api.post("/reels/{reel}/search")
    def search(reel: str) -> dict[str, Any]:
        return task_told(desk.search(reel))

    @api.post("/reels/{reel}/render")
    def render(reel: str, body: Render) -> dict[str, Any]:
        _no_places(body.options)
        wanted = body.model_dump(include={"masks", "origins", "report", "overwrite"})
        return task_told(desk.render(reel, body.film, **wanted, **body.options))

    @api.get("/tasks")
    def tasks() -> list[dict[str, Any]]:
        return [task_told(one) for one in desk.queue.tasks()]

    @api.post("/tasks/{number}/{what}")
    def task(number: int, what: str) -> list[dict[str, Any]]:
        actions = {"pause": desk.queue.pause, "go-on": desk.queue.go_on, "give-up": desk.queue.give_up}
        if what not in actions:
            raise UsageError(f"a task can {', '.join(actions)}, not {what}")
        actions[what](number)
        return tasks()

    return api


def told(one: OpenReel) -> dict[str, Any]:
    """What a page wants to know of a reel."""
    facts, job = one.stills.facts, one.entry.job()
    return {
        "id": one.entry.id,
        "source": str(one.entry.source),
        "width": facts.width,
        "height": facts.height,
        # What the header suggests is good enough to scrub by; a frame beyond the end is a sentence.
        "frames": facts.frames or facts.frames_about,
        "proxy": one.stills.proxy_width,
        "rate": str(facts.rate),
        "timecode": facts.timecode,
        "pixel_format": facts.pixel_format,
        "codec": facts.codec,
        "notes": list(facts.notes),
        "options": {
            "detect": job.detect.model_dump(),
            "repair": job.repair.model_dump(),
            "grain": job.grain.model_dump(),
        },
        "searched": len(one.findings.records),
        "stale": one.findings.stale(job),
        "edits": len(one.edits.operations),
    }


def task_told(task: Task) -> dict[str, Any]:
    """What a page wants to know of a task."""
    return {
        "id": task.id, "kind": task.kind, "reel": task.reel, "title": task.title, "state": task.state,
        "done": task.done, "total": task.total, "speed": round(task.speed, 2), "seconds_left": task.seconds_left,
        "said": task.said, "repaired": task.repaired,
    }  # fmt: skip


def say_errors(app: FastAPI) -> None:
    """Whatever goes wrong is a sentence in JSON: 400 for a mistake, 500 for what failed here."""

    @app.exception_handler(UsageError)
    def mistake(request: Request, error: UsageError) -> JSONResponse:
        return JSONResponse({"error": str(error)}, 400)

    @app.exception_handler(ReelMendError)
    def failed(request: Request, error: ReelMendError) -> JSONResponse:
        return JSONResponse({"error": str(error)}, 500)

    @app.exception_handler(RequestValidationError)
    def malformed(request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"] if part not in ("body", "path", "query"))
        return JSONResponse({"error": f"{where or 'the request'}: {first['msg']}"}, 400)


PLACES = (
    "source", "output", "masks", "report", "explain", "edits", "edited_masks", "origins", "regions", "protect", "gaps",
    "on_error", "overwrite",
)  # fmt: skip
"""Options that a page does not choose: where things lie is the project's."""


def _no_places(values: dict[str, Any]) -> None:
    chosen = sorted(values.keys() & set(PLACES))
    if chosen:
        raise UsageError(f"{chosen[0]} is the project's to choose")
    _named(values.get("repairer"))
    _named(values.get("detector"))


def _named(name: Any) -> Any:
    """A repairer or detector by name: a page may not have files read."""
    if isinstance(name, str) and (name.endswith(".json") or "/" in name or "\\" in name):
        raise UsageError("weight cards by path are for the command line; choose one by name")
    return name
