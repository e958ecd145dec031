"""New values for damaged pixels, from neighbouring frames and from the surroundings."""

from __future__ import annotations

from reelmend.errors import MediaError, UsageError
from reelmend.repair.grow import grow
from reelmend.repair.promise import FilledBy, Repair, Repairer
from reelmend.repair.spatial import SpatialRepairer
from reelmend.repair.temporal import TemporalRepairer

REPAIRERS = ("auto", "temporal", "temporal-net", "temporal-diffusion", "spatial")
"""Repairers by name; the first is the default."""


ROUTED = "temporal-diffusion"
"""What `auto` draws by where neighbours do not tell."""

PRIOR = "film-prior"
"""The diffusion model of film that `PRIOR_METHODS` fill holes with."""

PRIOR_METHODS = ("repaint", "diffpir")


def make_repairer(name: str, device: str = "auto", seed: int = 0, bias: float = 1.0) -> Repairer:
    """A repairer by name, or that of a network by the path of its weight card, which ends in `.json`.

    Networks run on `device`, as `runtime.load_repair_network` has it, which also says what is raised; `seed` is that of
    what is drawn, `bias` how much neighbours count in that. Raises UsageError for a name that there is no repairer of.
    """
    if name == "temporal":
        return TemporalRepairer()
    if name == "spatial":
        return SpatialRepairer()
    if name == "auto":
        return _diffusion(ROUTED, device, seed, bias, routed=True)
    if name in PRIOR_METHODS:
        return _prior(name, PRIOR, device, seed)
    _check_known(name)
    from reelmend.runtime import find_repair_card

    card, _ = find_repair_card(name)
    if card.architecture.net == "prior":
        return _prior("diffpir", name, device, seed)
    if card.architecture.net == "diffuser" and not card.mean:
        return _unified(name, device, seed)
    return _diffusion(name, device, seed, bias) if card.mean else _mixing(name, device)


def weights_of(name: str) -> tuple[str, ...]:
    """The cards, as text, of the networks that a repairer works by; none for one that needs no network.

    Raises as `make_repairer`.
    """
    if name in ("temporal", "spatial"):
        return ()
    _check_known(name)
    from reelmend.runtime import find_repair_card

    known = {"auto": ROUTED} | dict.fromkeys(PRIOR_METHODS, PRIOR)
    card, _ = find_repair_card(known.get(name, name))
    return (card.model_dump_json(), *(weights_of(card.mean) if card.mean else ()))


def _check_known(name: str) -> None:
    if name not in (*REPAIRERS, *PRIOR_METHODS) and not name.endswith(".json"):
        raise UsageError(f"there is no repairer {name}; known are {', '.join(REPAIRERS)}")


def _mixing(name: str, device: str) -> Repairer:
    # Engines are heavy: they load on use.
    from reelmend.repair.learned import LearnedRepairer, StillRepairer
    from reelmend.runtime import load_repair_network

    network = load_repair_network(name, device)
    return (StillRepairer if network.card.architecture.net == "fourier" else LearnedRepairer)(network)


def _diffusion(name: str, device: str, seed: int, bias: float, *, routed: bool = False) -> Repairer:
    from reelmend.repair.sampled import DiffusionRepairer, RoutedRepairer
    from reelmend.runtime import load_repair_network

    network = load_repair_network(name, device)
    mean = load_repair_network(network.card.mean, device)
    if mean.card.sha256 != network.card.mean_sha256:
        raise MediaError(f"{network.name} was trained on other weights of {mean.name} than are here.")
    return (RoutedRepairer if routed else DiffusionRepairer)(network, mean, bias=bias, seed=seed)


def _unified(name: str, device: str, seed: int) -> Repairer:
    from reelmend.repair.unified import UnifiedRepairer
    from reelmend.runtime import load_repair_network

    return UnifiedRepairer(load_repair_network(name, device), seed=seed)


def _prior(method: str, name: str, device: str, seed: int) -> Repairer:
    from reelmend.repair.prior import DiffPIR, PriorRepairer, RePaint
    from reelmend.runtime import load_repair_network

    return PriorRepairer(
        method, load_repair_network(name, device), RePaint() if method == "repaint" else DiffPIR(), seed
    )


__all__ = ["REPAIRERS", "FilledBy", "Repair", "Repairer", "grow", "make_repairer", "weights_of"]
