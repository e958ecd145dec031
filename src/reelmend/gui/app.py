"""The desk's server: NiceGUI's page around the viewer, the API beneath, the guard around both."""

from __future__ import annotations

import secrets
from pathlib import Path

from reelmend.desk.desk import Desk
from reelmend.desk.files import Roots
from reelmend.desk.project import Project
from reelmend.desk.uploads import Uploads
from reelmend.errors import UsageError
from reelmend.gui.safety import is_loopback
from reelmend.repair import REPAIRERS

STATIC = Path(__file__).with_name("static")


def run(
    source: Path | None,
    project: Path,
    *,
    roots: list[Path],
    host: str = "127.0.0.1",
    port: int = 8080,
    token: str | None = None,
    show: bool = True,
) -> None:
    """Serve a desk until it is stopped. On an address that others can reach a token is made up where none is given.

    Raises UsageError where the extra `[gui]` is missing, and for a project or source that cannot be opened.
    """
    try:
        from nicegui import app, ui
    except ImportError:
        raise UsageError("the desk needs NiceGUI; pip install 'reelmend[gui]'") from None
    from reelmend.gui.api import make_api, say_errors
    from reelmend.gui.pages import make_pages
    from reelmend.gui.safety import Guard

    if not is_loopback(host) and token is None:
        token = secrets.token_urlsafe(24)
    uploads = Uploads(project.resolve() / "uploads")
    desk = Desk(Project(project, Roots([*roots, uploads.folder])))
    opened = desk.project.add(source).id if source else ""
    app.include_router(make_api(desk))
    app.include_router(make_pages(desk, uploads))
    say_errors(app)
    app.add_static_files("/desk", str(STATIC))
    app.add_middleware(Guard, token=token)
    app.on_shutdown(desk.close)

    @ui.page("/")
    def page() -> None:
        ui.add_head_html('<link rel="stylesheet" href="/desk/desk.css">')
        choices = "".join(f"<option>{name}</option>" for name in REPAIRERS)
        body = (STATIC / "desk.html").read_text(encoding="utf-8")
        body = body.replace('<select id="repairer"></select>', f'<select id="repairer">{choices}</select>')
        ui.html(body, sanitize=False).style("display: contents")
        ui.add_body_html(
            f"<script>document.body.dataset.reel = {opened!r}</script>"
            '<script type="module" src="/desk/desk.js"></script>'
        )

    address = f"http://{host}:{port}/" + (f"?token={token}" if token else "")
    print(f"the desk is at {address}", flush=True)
    ui.run(
        host=host, port=port, title="ReelMend", dark=True, show=show, reload=False, show_welcome_message=False,
        favicon="🎞️",
    )  # fmt: skip
