"""`reelmend gui`: the restoration desk."""

from __future__ import annotations

from pathlib import Path

from reelmend.errors import UsageError


def serve(
    source: Path | None, project: Path, roots: list[Path], host: str, port: int, token: str | None, show: bool
) -> None:
    """Serve a desk. Without roots, what lies in the source's folder, the present one and home may be opened."""
    allowed = roots or [*([_folder_of(source)] if source else []), Path.cwd(), Path.home()]
    for root in allowed:
        if not root.is_dir():
            raise UsageError(f"{root} is no folder")
    try:
        from reelmend.gui.app import run
    except ImportError:
        raise UsageError("the desk needs NiceGUI; pip install 'reelmend[gui]'") from None
    run(source, project, roots=allowed, host=host, port=port, token=token, show=show)


def _folder_of(source: Path) -> Path:
    return source if source.is_dir() else source.absolute().parent
