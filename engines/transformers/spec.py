"""Which transformers model, where and how, as a picklable description.

Imports torch and transformers only when it is opened or previewed: configurations are made in processes that
never run a model.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from steplabel.engines.checkpoints.checkpoint import BUNDLED, Checkpoint, find_checkpoint, read_identity, stored_dtype
from steplabel.engines.port import SPEED_ONLY, GenerateRequest, RenderedPrompt
from steplabel.schemas import ConfigError, ModelIdentity

if TYPE_CHECKING:
    from steplabel.engines.text.codec import TextCodec
    from steplabel.engines.transformers.engine import TransformersEngine

AUTO: Final = "auto"
DTYPES: Final = (AUTO, "float32", "bfloat16", "float16")


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformersSpec:
    """A model for `TransformersEngine`.

    Attributes:
        model: `bundled`, a folder, or a hub name. `revision`: of a hub model.
        dtype: number format to run in. `auto` runs the bundled model in float32 (it is stored in half the
            bytes, but on a CPU the wider format is faster, and samples do not depend on the batch), any other
            in the format its config names.
        device: `auto` takes a GPU where there is one; else a torch device: `cpu`, `cuda`, `cuda:1`, `mps`.
        max_rows, token_budget, threads: as in `TransformersEngine`; None for its defaults. They change how
            fast it writes, not what.
        licence: of the model; empty takes the one its card states.
    """

    model: str = BUNDLED
    revision: str = ""
    dtype: str = AUTO
    device: str = AUTO
    max_rows: int | None = field(default=None, metadata=SPEED_ONLY)
    token_budget: int | None = field(default=None, metadata=SPEED_ONLY)
    threads: int | None = field(default=None, metadata=SPEED_ONLY)
    licence: str = ""

    def __post_init__(self) -> None:
        if self.dtype not in DTYPES:
            raise ConfigError(f"dtype {self.dtype!r} is none of {', '.join(DTYPES)}")
        if self._device_type == "meta":
            raise ConfigError(f"device {self.device!r} holds shapes without numbers: choose one that computes")
        for name in ("max_rows", "token_budget", "threads"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ConfigError(f"{name}={value} must be at least 1, or None for the default")

    @property
    def gpus(self) -> int:
        """One where it will run on a GPU that worker processes can be given: CUDA's, which ROCm's pass for."""
        if self.device != AUTO:
            return int(self._device_type == "cuda")
        import torch  # noqa: PLC0415 - see above

        return int(torch.cuda.is_available())

    @property
    def named_gpu(self) -> str:
        """A GPU with a number, such as `cuda:1`."""
        return self.device if self._device_type == "cuda" and ":" in self.device else ""

    @property
    def _device_type(self) -> str:
        return self.device.partition(":")[0]

    def preview(self) -> ModelPreview:
        """Identity and rendering from the model's files: tokenizer, config and hashes, no weights loaded.

        Raises:
            ConfigError: there is no such model, or its files are incomplete.
        """
        from steplabel.engines.text.codec import load_codec  # noqa: PLC0415 - see above

        checkpoint = find_checkpoint(self.model, self.revision)
        identity = read_identity(checkpoint, dtype=self._dtype(checkpoint), licence=self.licence)
        codec = load_codec(checkpoint.folder, identity.tokenizer)
        return ModelPreview(identity=identity, codec=codec, checkpoint=checkpoint)

    def open(self) -> TransformersEngine:
        """Load the model. Raises ConfigError as `preview` does, and where the weights cannot be loaded."""
        from steplabel.engines.transformers.engine import TransformersEngine  # noqa: PLC0415 - see above

        preview = self.preview()
        return TransformersEngine(
            self._loaded(preview.checkpoint, preview.identity.dtype),
            preview.codec,
            identity=preview.identity,
            max_rows=self.max_rows,
            token_budget=self.token_budget,
            threads=self.threads,
        )

    def _dtype(self, checkpoint: Checkpoint) -> str:
        if self.dtype != AUTO:
            return self.dtype
        return "float32" if self.model == BUNDLED else stored_dtype(checkpoint.folder)

    def _loaded(self, checkpoint: Checkpoint, dtype: str) -> Any:
        import torch  # noqa: PLC0415 - see above
        from safetensors import SafetensorError  # noqa: PLC0415 - see above
        from transformers import AutoModelForCausalLM  # noqa: PLC0415 - see above
        from transformers.utils import logging  # noqa: PLC0415 - see above

        logging.disable_progress_bar()  # a run shows its own, and two tear each other apart
        device = self.device
        if device == AUTO:
            device = "cuda" if torch.cuda.is_available() else "cpu"
        try:
            model, report = AutoModelForCausalLM.from_pretrained(
                checkpoint.folder,
                dtype=getattr(torch, dtype),
                local_files_only=True,
                output_loading_info=True,
            )
            model = model.to(device)
        except (OSError, ValueError, KeyError, RuntimeError, AssertionError, SafetensorError) as error:  # asserts CUDA
            raise ConfigError(f"cannot load model {self.model!r} on {device}: {error}") from error
        # transformers only warns, and fills what is missing with random numbers.
        if lacking := sorted(map(str, (*report["missing_keys"], *report["mismatched_keys"]))):
            raise ConfigError(f"the weights of model {self.model!r} do not fit its config: {lacking[:5]}")
        return model


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPreview:
    """What a model's files tell without its weights."""

    identity: ModelIdentity
    codec: TextCodec
    checkpoint: Checkpoint

    def render(self, request: GenerateRequest) -> RenderedPrompt:
        """As the engine would. Raises ConfigError as `TextCodec.render` does."""
        return self.codec.render(request)
