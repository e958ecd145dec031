"""What a repairer works by: told so that a repair made by other weights is another repair."""

from __future__ import annotations

import json

import pytest

from reelmend.errors import UsageError
from reelmend.repair import make_repairer, weights_of
from reelmend.runtime import find_repair_card


def test_repairers_say_which_networks_they_work_by() -> None:
    assert weights_of("temporal") == weights_of("spatial") == ()
    names = ["temporal-diffusion", "temporal-net"]
    assert [json.loads(card)["sha256"] for card in weights_of("auto")] == [
        find_repair_card(name)[0].sha256 for name in names
    ]
    assert weights_of("auto") == weights_of("temporal-diffusion") != weights_of("temporal-net")


@pytest.mark.parametrize("name", ["magic", "none.json"])
def test_what_there_is_not_is_said_as_by_the_repairer_itself(name: str) -> None:
    with pytest.raises(UsageError) as wanted:
        make_repairer(name)
    with pytest.raises(UsageError) as said:
        weights_of(name)
    assert str(said.value) == str(wanted.value)
