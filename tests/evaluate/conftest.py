"""Files that tests of whole measurements share."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.evaluate.small import write_all


@pytest.fixture(scope="session")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all of `small.write_all`; read only."""
    return write_all(tmp_path_factory.mktemp("room"))
