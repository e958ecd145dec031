"""U-Nets of Stable Diffusion 1.x, 2.x and XL through diffusers, unchanged. Needs the extra `[segment]`.

They are shown the empty prompt: through the text encoder for 1.x and 2.x, zeros for XL (which trained with them). A
folder without a text encoder is shown zeros, with a warning.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from reelmend.diffusion import Levels
from reelmend.errors import UsageError


@dataclass
class ForeignModel:
    """A latent diffusion model of diffusers."""

    name: str
    net: nn.Module
    vae: Any
    levels: Levels
    text: Tensor
    """`(1, tokens, c)`, the empty prompt."""
    predicts: str = "epsilon"
    """What the network tells: epsilon, v_prediction or sample."""
    pooled: Tensor | None = None
    """`(1, c)`, what XL is told beside the prompt."""
    side: int = 512
    multiple: int = 64
    spread: float = 1.0
    timesteps: bool = True
    excess: bool = False
    _ratio: Any = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._ratio = self.levels.ratio

    def encode(self, picture: Tensor) -> Tensor:
        given = (2 * picture - 1).to(self.vae.dtype)
        latent = self.vae.encode(given).latent_dist.mode()
        return (
            (latent - (getattr(self.vae.config, "shift_factor", None) or 0)) * self.vae.config.scaling_factor
        ).float()

    def denoise(self, x: Tensor, alpha: float, sigma: float) -> Tensor:
        timestep = int(np.abs(self._ratio - sigma / alpha).argmin())
        kind = next(self.net.parameters()).dtype
        told: dict[str, Any] = {"encoder_hidden_states": self.text.to(x.device, kind)}
        if self.pooled is not None:
            height, width = (8 * side for side in x.shape[2:])
            times = torch.tensor([[height, width, 0, 0, height, width]], device=x.device, dtype=kind)
            told["added_cond_kwargs"] = {"text_embeds": self.pooled.to(x.device, kind), "time_ids": times}
        said = self.net(x.to(kind), timestep, **told).sample.float()
        if self.predicts == "sample":
            return said
        if self.predicts == "v_prediction":
            return alpha * x - sigma * said
        return (x - sigma * said) / alpha


def load_foreign(name: str, device: str = "cpu") -> ForeignModel:
    """A model by its folder (with `unet`, `vae`, `scheduler`, and `text_encoder` with `tokenizer`) or its hub name.

    Raises UsageError where diffusers is not installed or the folder holds no such model.
    """
    try:
        import diffusers
    except ImportError as error:
        raise UsageError("models of diffusers need it installed: pip install 'reelmend[segment]'.") from error
    kind = torch.float16 if device.startswith("cuda") else torch.float32
    try:
        net = _load(diffusers.UNet2DConditionModel, name, subfolder="unet", torch_dtype=kind, low_cpu_mem_usage=False)
        vae = _load(diffusers.AutoencoderKL, name, subfolder="vae", torch_dtype=kind, low_cpu_mem_usage=False)
        scheduler = _load(diffusers.DDIMScheduler, name, subfolder="scheduler")
    except (OSError, ValueError, KeyError) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UsageError(f"{name} holds no U-Net of diffusers that can be loaded ({first})") from error
    net, vae = (one.eval().requires_grad_(False).to(device) for one in (net, vae))
    pooled = None
    if net.config.addition_embed_type == "text_time":
        # What is left for the pooled text beside six numbers of size, each embedded.
        sizes = 6 * net.config.addition_time_embed_dim
        pooled = torch.zeros(1, net.config.projection_class_embeddings_input_dim - sizes)
    halvings = len(vae.config.block_out_channels) - 1 + len(net.config.block_out_channels) - 1
    bar = scheduler.alphas_cumprod.double().numpy()
    return ForeignModel(
        Path(name).name, net, vae, Levels(np.sqrt(bar), np.sqrt(1 - bar)), _empty_prompt(name, net, pooled is not None),
        predicts=scheduler.config.prediction_type, pooled=pooled,
        side=int(net.config.sample_size or 64) * 2 ** (len(vae.config.block_out_channels) - 1),
        multiple=2**halvings,
    )  # fmt: skip


def _load(kind: Any, name: str, **how: Any) -> Any:
    return kind.from_pretrained(name, **how)


def _empty_prompt(name: str, net: Any, zeros: bool) -> Tensor:
    width = net.config.cross_attention_dim
    width = width if isinstance(width, int) else width[0]
    nothing = torch.zeros(1, 77, width)
    if zeros:
        return nothing
    try:
        from transformers import CLIPTextModel, CLIPTokenizer

        tokenizer = CLIPTokenizer.from_pretrained(name, subfolder="tokenizer")
        encoder = CLIPTextModel.from_pretrained(name, subfolder="text_encoder")
    except (ImportError, OSError, ValueError) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        warnings.warn(f"{name} is shown zeros for the empty prompt: no text encoder ({first})", stacklevel=3)
        return nothing
    tokens = tokenizer("", padding="max_length", max_length=encoder.config.max_position_embeddings, return_tensors="pt")
    with torch.no_grad():
        told: Tensor = encoder(tokens.input_ids)[0].float()
    return told
