"""What was rendered, over HTTP: the list, the files, and the job that makes a film on the command line."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import FileResponse, Response

from reelmend.desk.desk import Desk
from reelmend.desk.renders import finished, listed

NEVER = {"cache-control": "no-store"}


def render_routes(desk: Desk) -> APIRouter:
    """The routes of a desk's renders, below `/reels`."""
    api = APIRouter(prefix="/reels/{reel}")

    @api.get("/renders")
    def renders(reel: str) -> list[dict[str, Any]]:
        found = listed(desk.project.reel(reel))
        return [{"name": one.name, "bytes": one.bytes, "when": one.when.isoformat()} for one in found]

    @api.get("/renders/{name}")
    def download(reel: str, name: str) -> Response:
        # A film is never run here, and a report's page not shown as one of the desk's own: both are saved.
        place = finished(desk.project.reel(reel), name)
        return FileResponse(place, media_type="application/octet-stream", filename=name, headers=NEVER)

    @api.get("/job.toml")
    def job(
        reel: str,
        film: Annotated[str, Query(max_length=200)] = "restored.mkv",
        masks: bool = False,
        origins: bool = False,
        report: bool = False,
    ) -> Response:
        made = desk.render_job(reel, film, masks=masks, origins=origins, report=report)
        headers = NEVER | {"content-disposition": 'attachment; filename="job.toml"'}
        return Response(made.to_toml(), media_type="application/toml", headers=headers)

    return api
