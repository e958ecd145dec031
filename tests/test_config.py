"""Jobs: limits, files, flat options."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelmend.config import Device, Job, Policy, Strength
from reelmend.describe import flat_names, rows
from reelmend.errors import MediaError, UsageError

paths = st.text(st.characters(codec="utf-8", exclude_characters="\0", exclude_categories=["Cs"]), min_size=1).map(Path)
maybe = st.one_of(st.none(), paths)


@st.composite
def jobs(draw: st.DrawFn) -> Job:
    blob = st.one_of(st.none(), st.integers(1, 10_000))
    return Job.build(
        source=draw(paths),
        output=draw(maybe),
        masks=draw(maybe),
        report=draw(maybe),
        start=draw(st.integers(0, 10**9)),
        frames=draw(st.one_of(st.none(), st.integers(1, 10**9))),
        device=draw(st.sampled_from(get_args(Device))),
        threads=draw(st.integers(0, 1024)),
        seed=draw(st.integers(0, 2**32 - 1)),
        overwrite=draw(st.booleans()),
        gaps=draw(st.sampled_from(get_args(Policy))),
        on_error=draw(st.sampled_from(get_args(Policy))),
        detector=draw(st.text(st.characters(codec="utf-8"), min_size=1)),
        strength=draw(st.sampled_from(get_args(Strength))),
        min_blob=draw(blob),
        max_blob=draw(blob),
        grow=draw(st.integers(0, 32)),
        bias=draw(st.floats(0, 4)),
        regrain=draw(st.booleans()),
    )


@given(job=jobs())
def test_a_job_file_repeats_the_job_exactly(job: Job, tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("job") / "job.toml"
    job.save(file)
    assert Job.from_toml(file) == job
    assert Job.build(file) == job
    assert Job.build(job) == job


def test_flat_options_reach_their_sections() -> None:
    job = Job.build(source="a.mkv", output="b.mkv", strength="gentle", grow=3, regrain=False, repairer="temporal")
    assert (job.detect.strength, job.repair.grow, job.grain.regrain) == ("gentle", 3, False)
    assert job.source == Path("a.mkv")


def test_options_override_a_base_and_none_leaves_it() -> None:
    base = Job.build(source="a", output="b", strength="strong", grow=5, seed=7)
    job = Job.build(base, grow=0, strength=None, output="c")
    assert (job.detect.strength, job.repair.grow, job.seed, job.output) == ("strong", 0, 7, Path("c"))
    assert base.repair.grow == 5


def test_a_whole_section_may_be_given() -> None:
    base = Job.build(source="a", strength="gentle")
    assert Job.build(source="a", detect=base.detect) == base
    assert Job.build(source="a", detect={"strength": "gentle"}) == base


MISTAKES: list[tuple[dict[str, Any], list[str]]] = [
    ({"grow": 33}, ["repair.grow = 33", "0 to 32"]),
    ({"grow": -1}, ["repair.grow = -1", "0 to 32"]),
    ({"grow": 2.0}, ["repair.grow = 2.0", "whole number"]),
    ({"threads": True}, ["threads = true", "whole number, 0 to 1024"]),
    ({"frames": 0}, ["frames = 0", "whole number, 1 or more"]),
    ({"strength": "brutal"}, ["detect.strength = 'brutal'", "gentle, standard or strong"]),
    ({"regrain": 1}, ["grain.regrain = 1", "true or false"]),
    ({"start": "3"}, ["start = '3'", "whole number"]),
    ({"strenght": "gentle"}, ["'strenght'", "did you mean 'strength'?"]),
    ({"detect": {"strenght": "gentle"}}, ["'detect.strenght'", "did you mean 'strength'?", "[detect]"]),
    ({"detect": 3}, ["'detect'", "table of options"]),
    ({"output": 3}, ["output = 3", "path"]),
]


@pytest.mark.parametrize(("options", "words"), MISTAKES, ids=[str(options) for options, _ in MISTAKES])
def test_a_mistake_is_one_sentence_that_names_the_key_and_its_limits(options: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(UsageError) as caught:
        Job.build(source="a", **options)
    said = str(caught.value)
    assert all(word in said for word in words), said
    assert "\n" not in said
    assert caught.value.exit_code == 2


def test_a_job_needs_a_source() -> None:
    with pytest.raises(UsageError, match="'source' is missing"):
        Job.build(output="b")


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("source = ", "not a valid TOML file"),
        ("source = 'a'\n[detect]\nstrenght = 'gentle'", "'detect.strenght'"),
        ("source = 'a'\ncolour = 1", "'colour'"),
        ("source = 'a'\n[repair]\ngrow = '2'", "0 to 32"),
        ("source = 'a'\nrepair = 1", "table of options"),
        ("output = 'a'", "'source' is missing"),
    ],
)
def test_a_wrong_job_file_is_named(tmp_path: Path, text: str, word: str) -> None:
    file = tmp_path / "job.toml"
    file.write_text(text)
    with pytest.raises(UsageError) as caught:
        Job.from_toml(file)
    assert word in str(caught.value)
    assert str(file) in str(caught.value)


def test_a_job_file_that_is_missing_or_no_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nowhere\.toml: cannot read the job file"):
        Job.from_toml(tmp_path / "nowhere.toml")
    (tmp_path / "film.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="not UTF-8 text"):
        Job.from_toml(tmp_path / "film.toml")
    with pytest.raises(MediaError, match="cannot write the job file"):
        Job.build(source="a").save(tmp_path / "none" / "job.toml")


def test_anchored_paths_are_absolute() -> None:
    job = Job.build(source="a_%04d.dpx", output="out/b.mkv").anchored()
    assert job.source == Path.cwd() / "a_%04d.dpx"
    assert job.output == Path.cwd() / "out/b.mkv"
    assert job.masks is None


def test_a_job_cannot_be_changed() -> None:
    with pytest.raises(Exception, match="frozen"):
        Job.build(source="a").seed = 3  # type: ignore[misc]


def test_option_names_are_unique_over_all_sections() -> None:
    every = [row.name for row in rows(Job)]
    assert len(every) == len(set(every))
    assert set(every) <= set(flat_names(Job))


@pytest.mark.parametrize("row", list(rows(Job)), ids=lambda row: row.name)
def test_every_option_says_what_it_does_and_its_limits(row: Any) -> None:
    assert row.help.endswith(".")
    assert row.limits != "value"
    if row.limits.startswith("whole number"):
        assert any(unit in row.help for unit in ("pixels", "frame", "count", "Seed")), "no unit"
