"""U-Nets of diffusers: Stable Diffusion 1.x, 2.x and XL in small, with random weights, from folders as the hub has."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from reelmend.errors import UsageError
from reelmend.segment import Options, Showing, load_model, segment
from reelmend.segment.attention import watch
from reelmend.segment.foreign import ForeignModel

with warnings.catch_warnings():
    # What other libraries deprecate among themselves is not ours to fail on.
    warnings.simplefilter("ignore")
    diffusers = pytest.importorskip("diffusers")
    transformers = pytest.importorskip("transformers")

SMALL: dict[str, Any] = {
    "sample_size": 16, "layers_per_block": 1, "block_out_channels": (32, 64), "norm_num_groups": 8,
    "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"), "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D"),
}  # fmt: skip
KINDS: dict[str, tuple[dict[str, Any], str]] = {
    "1.x": ({"cross_attention_dim": 24, "attention_head_dim": 4}, "epsilon"),
    "2.x": (
        {"cross_attention_dim": 40, "attention_head_dim": (2, 4), "use_linear_projection": True},
        "v_prediction",
    ),
    "xl": (
        {
            "cross_attention_dim": 56, "attention_head_dim": (2, 4), "use_linear_projection": True,
            "transformer_layers_per_block": (1, 2), "addition_embed_type": "text_time", "addition_time_embed_dim": 8,
            "projection_class_embeddings_input_dim": 80,
        },
        "epsilon",
    ),
}  # fmt: skip


def folder_of(where: Path, kind: str, *, text: bool = True) -> Path:
    """A model as the hub lays it out."""
    torch.manual_seed(0)
    more, predicts = KINDS[kind]
    diffusers.UNet2DConditionModel(**SMALL, **more).save_pretrained(where / "unet")
    diffusers.AutoencoderKL(
        block_out_channels=(8, 8), norm_num_groups=4, sample_size=32,
        down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2,
    ).save_pretrained(where / "vae")  # fmt: skip
    diffusers.PNDMScheduler(
        beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012, prediction_type=predicts, skip_prk_steps=True
    ).save_pretrained(where / "scheduler")
    if text and kind != "xl":
        width = more["cross_attention_dim"]
        config = transformers.CLIPTextConfig(
            vocab_size=5, hidden_size=width, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2,
            max_position_embeddings=77, bos_token_id=3, eos_token_id=4, pad_token_id=4,
        )  # fmt: skip
        transformers.CLIPTextModel(config).save_pretrained(where / "text_encoder")
        place = where / "tokenizer"
        place.mkdir()
        words = ["a", "b", "c</w>", "<|startoftext|>", "<|endoftext|>"]
        (place / "vocab.json").write_text(json.dumps({word: n for n, word in enumerate(words)}))
        (place / "merges.txt").write_text("#version: 0.2\n")
        transformers.CLIPTokenizer(str(place / "vocab.json"), str(place / "merges.txt")).save_pretrained(place)
    return where


@pytest.fixture
def picture() -> np.ndarray:
    return np.random.default_rng(0).random((40, 56, 3), np.float32)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", KINDS)
def test_a_folder_of_diffusers_is_walked_on(kind: str, picture: np.ndarray, tmp_path: Path) -> None:
    model = load_model(str(folder_of(tmp_path, kind)))
    assert isinstance(model, ForeignModel)
    assert model.multiple == 4 and model.side == 32
    for showing in (Showing(timestep=300), Showing(noise=0.5, inversion=True)):
        tree = segment(picture, model, Options(stop="constant", threshold=1.2, showing=showing))
        assert tree.labels is not None and tree.labels.shape == (40, 56)
    assert tree.grid == (14, 19) or tree.grid[0] * tree.grid[1] == 16 * 16 or tree.grid == (14, 18)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", KINDS)
def test_maps_are_what_the_layer_computes(kind: str, tmp_path: Path) -> None:
    model = load_model(str(folder_of(tmp_path, kind)))
    kept: list[tuple[Any, torch.Tensor, torch.Tensor]] = []

    def keep(part: Any, given: Any, named: dict[str, Any], answer: torch.Tensor) -> None:
        if named.get("encoder_hidden_states") is None:
            kept.append((part, given[0] if given else named["hidden_states"], answer))

    parts = [part for name, part in model.net.named_modules() if name.endswith(("attn1", "attn2"))]
    for part in parts:
        part.register_forward_hook(keep, with_kwargs=True)
    with torch.no_grad(), watch(model.net) as seen:
        model.denoise(torch.randn(1, 4, 16, 16), 0.8, 0.6)
    assert len(seen.maps) == len(kept) == len(parts) // 2 and all(one.layer.endswith("attn1") for one in seen.maps)
    for one, (part, shown, answer) in zip(seen.maps, kept, strict=True):
        # With one head's worth of values at a time, the layer's answer follows from queries and keys alone.
        split = [
            linear(shown)[0].unflatten(-1, (part.heads, -1)).transpose(0, 1)
            for linear in (part.to_q, part.to_k, part.to_v)
        ]
        chances = torch.softmax(split[0] @ split[1].transpose(1, 2) * part.scale, dim=-1)
        by_hand = part.to_out[0]((chances @ split[2]).transpose(0, 1).flatten(1))
        torch.testing.assert_close(by_hand[None], answer, atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(one.chances, chances.mean(dim=0), atol=1e-6, rtol=1e-4)


@pytest.mark.filterwarnings("ignore")
def test_predictions_of_both_kinds_are_turned_into_pictures(tmp_path: Path) -> None:
    for kind in ("1.x", "2.x"):
        model = load_model(str(folder_of(tmp_path / kind, kind)))
        assert isinstance(model, ForeignModel)
        x, number = torch.randn(1, 4, 16, 16), 400
        scheduler = diffusers.DDIMScheduler.from_pretrained(tmp_path / kind, subfolder="scheduler", clip_sample=False)
        with torch.no_grad():
            said = model.net(x, number, encoder_hidden_states=model.text).sample
            ours = model.denoise(x, float(model.levels.alpha[number]), float(model.levels.sigma[number]))
        scheduler.set_timesteps(1000)
        theirs = scheduler.step(said, number, x).pred_original_sample
        torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)


@pytest.mark.filterwarnings("ignore:.*:DeprecationWarning", "ignore:.*:FutureWarning")
def test_without_a_text_encoder_zeros_are_shown_and_said(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "1.x", text=False)
    with pytest.warns(UserWarning, match="zeros for the empty prompt"):
        model = load_model(str(folder))
    assert isinstance(model, ForeignModel)
    assert not model.text.any()


@pytest.mark.filterwarnings("ignore")
def test_the_empty_prompt_goes_through_the_text_encoder(tmp_path: Path) -> None:
    model = load_model(str(folder_of(tmp_path, "1.x")))
    assert isinstance(model, ForeignModel)
    assert model.text.shape == (1, 77, 24) and model.text.any()


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no U-Net"):
        load_model(str(tmp_path))


@pytest.mark.filterwarnings("ignore")
def test_a_timestep_is_one_that_the_model_has(picture: np.ndarray, tmp_path: Path) -> None:
    model = load_model(str(folder_of(tmp_path, "1.x")))
    with pytest.raises(UsageError, match="0 to 999"):
        segment(picture, model, Options(showing=Showing(timestep=1000)))
