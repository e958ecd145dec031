"""What the pages beside the viewer ask for: models and their scores, trials, films that were dropped."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from reelmend.desk.desk import Desk
from reelmend.desk.queue import Stopped
from reelmend.desk.stills import jpeg
from reelmend.desk.uploads import Uploads
from reelmend.gui.api import NEVER, Number, task_told
from reelmend.gui.trial import MOST_FRAMES, Plan, Trial
from reelmend.models import gather
from reelmend.simulate.recipe import recipe_names

Name = Annotated[str, Path(max_length=160)]


class Tried(BaseModel):
    """What is to be tried."""

    model_config = ConfigDict(extra="forbid")

    recipe: str = Field(max_length=60)
    seed: int = Field(0, ge=0, le=2**32 - 1)
    start: int = Field(0, ge=0, le=100_000_000)
    frames: int = Field(24, ge=1, le=MOST_FRAMES)


def make_pages(desk: Desk, uploads: Uploads) -> APIRouter:
    """The routes of the pages, all under `/api`."""
    api = APIRouter(prefix="/api")

    # Nothing of it changes while the desk is open.
    known = cache(gather)

    @api.get("/models")
    def models() -> dict[str, Any]:
        return known()

    @api.get("/recipes")
    def recipes() -> list[str]:
        return recipe_names()

    @api.post("/reels/{reel}/trial")
    def start(reel: str, body: Tried) -> dict[str, Any]:
        one, plan = desk.reel(reel), Plan(**body.model_dump()).checked()
        # Only reading tells whether a frame is there: not every header counts.
        one.stills.frame(plan.start)
        entry, trial = one.entry, Trial(one.entry)

        def work(task: Any) -> bool:
            def tell(done: int) -> None:
                task.done = done
                if task.stop.is_set():
                    raise Stopped

            trial.make(plan, tell)
            # The reel may have ended before so many frames.
            task.total = task.done
            return True

        title = f"Try {plan.recipe} on {entry.id}"
        return task_told(desk.queue.add("trial", entry, title, 2 * plan.frames, work))

    @api.get("/reels/{reel}/trial")
    def tried(reel: str) -> dict[str, Any] | None:
        return Trial(desk.reel(reel).entry).result()

    @api.get("/reels/{reel}/trial/{number}.jpg")
    def picture(reel: str, number: Number, safe: bool = False, marked: bool = True) -> Response:
        shown = Trial(desk.reel(reel).entry).picture(number, safe, marked)
        return Response(jpeg(shown), media_type="image/jpeg", headers=NEVER)

    @api.post("/reels/{reel}/proxies")
    def proxies(reel: str) -> dict[str, Any]:
        return task_told(desk.make_proxies(reel))

    @api.put("/uploads/{batch}/{name}")
    async def upload(batch: Name, name: Name, request: Request) -> dict[str, Any]:
        return {"bytes": await uploads.take(batch, name, request.stream())}

    @api.post("/uploads/{batch}")
    def opened(batch: Name) -> dict[str, Any]:
        entry = desk.project.add(uploads.source(batch))
        return {"id": entry.id, "source": str(entry.source)}

    return api
