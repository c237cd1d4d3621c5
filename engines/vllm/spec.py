"""Which model vLLM runs, and how, as a picklable description.

Imports vLLM only when it is opened: recipes are made, and finished runs replayed, where it is not installed.

An engine's identity is its model's: weights, number format, quantisation, adapter, tokenizer. That vLLM runs it
is no part of it. So a store filled by `TransformersSpec` serves `VLLMSpec` of the same model and back. The two
draw other texts from the same seed, but from the same distribution, as far as rounding tells, and independently;
labels ask for no more of a sample. A run begun on a laptop goes on on a GPU and pays for nothing twice.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from steplabel.engines.checkpoints.checkpoint import BUNDLED, Checkpoint, find_checkpoint, read_identity, stored_dtype
from steplabel.engines.checkpoints.lora import Adapter, read_adapter
from steplabel.engines.port import SPEED_ONLY
from steplabel.engines.transformers.spec import AUTO, DTYPES, ModelPreview
from steplabel.engines.vllm.environment import vllm_environment
from steplabel.schemas import ConfigError, MissingExtra

if TYPE_CHECKING:
    from steplabel.engines.vllm.engine import VLLMEngine


@dataclass(frozen=True, slots=True, kw_only=True)
class VLLMSpec:
    """A model for `VLLMEngine`. Open it behind `if __name__ == "__main__"`: vLLM starts processes of its own.

    Attributes:
        model: `bundled`, a folder, or a hub name. `revision`: of a hub model.
        dtype: number format to run in. `auto` runs the bundled model in float32, any other in the format its
            config names, as `TransformersSpec` does (vLLM's own choice would shorten float32).
        quantization: method to quantise with at loading (`fp8`, ...); empty takes the weights as they are.
        lora: folder of a LoRA adapter in PEFT's format; empty for none.
        licence: of the model; empty takes the one its card states.
        max_model_len: most tokens of prompt and answer together, where the model's own context is more than
            memory holds. A request that needs more is refused; only the model's own context cuts answers.
        tensor_parallel_size: GPUs that share the model.
        gpu_memory_utilization: share of each GPU's memory to take.
        max_num_seqs: samples decoded together; None for vLLM's choice, 256 on a CPU.
        enforce_eager: whether to leave the model uncompiled; None compiles on GPUs only.
    """

    model: str = BUNDLED
    revision: str = ""
    dtype: str = AUTO
    quantization: str = ""
    lora: str = ""
    licence: str = ""
    max_model_len: int | None = None
    tensor_parallel_size: int = field(default=1, metadata=SPEED_ONLY)
    gpu_memory_utilization: float = field(default=0.9, metadata=SPEED_ONLY)
    max_num_seqs: int | None = field(default=None, metadata=SPEED_ONLY)
    enforce_eager: bool | None = field(default=None, metadata=SPEED_ONLY)

    def __post_init__(self) -> None:
        if self.dtype not in DTYPES:
            raise ConfigError(f"dtype {self.dtype!r} is none of {', '.join(DTYPES)}")
        for name in ("max_model_len", "tensor_parallel_size", "max_num_seqs"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ConfigError(f"{name}={value} must be at least 1")
        if not 0 < self.gpu_memory_utilization <= 1:
            raise ConfigError(f"gpu_memory_utilization={self.gpu_memory_utilization} must be in (0, 1]")

    @property
    def gpus(self) -> int:
        """Those that share the model, where there are any."""
        import torch  # noqa: PLC0415 - heavy; only wanted where an engine is opened

        return self.tensor_parallel_size if torch.cuda.is_available() else 0

    def preview(self) -> ModelPreview:
        """Identity and rendering from the model's files; needs neither its weights in memory nor vLLM.

        Raises:
            ConfigError: there is no such model or adapter, or its files are incomplete.
        """
        return self._previewed(self._adapter())

    def open(self) -> VLLMEngine:
        """Start vLLM, which takes half a minute to minutes.

        Raises:
            MissingExtra: vLLM is not installed.
            ConfigError: as `preview`, and where vLLM cannot run the model.
        """
        if importlib.util.find_spec("vllm") is None:
            raise MissingExtra(feature="running a model with vLLM", extra="vllm")
        adapter = self._adapter()
        model = self._previewed(adapter)
        try:
            with vllm_environment():  # vLLM reads some of it when it is imported
                from steplabel.engines.vllm.engine import VLLMEngine  # noqa: PLC0415 - see above
                from steplabel.engines.vllm.launch import supervised  # noqa: PLC0415 - see above
            supervisor = supervised(self, model, adapter)
        except Exception as error:  # vLLM raises all kinds of errors for models and machines that it cannot use
            raise ConfigError(
                f"vLLM cannot run model {self.model!r}: {error}; VLLM_LOGGING_LEVEL=INFO makes it say more"
            ) from error
        return VLLMEngine(supervisor, model.codec, identity=model.identity, clips=self.max_model_len is None)

    def _adapter(self) -> Adapter | None:
        return read_adapter(self.lora) if self.lora else None

    def _previewed(self, adapter: Adapter | None) -> ModelPreview:
        from steplabel.engines.text.codec import load_codec  # noqa: PLC0415 - loads transformers

        checkpoint = find_checkpoint(self.model, self.revision)
        own = read_identity(checkpoint, dtype=self._dtype(checkpoint), licence=self.licence)
        return ModelPreview(
            identity=replace(
                own,
                quantization=self.quantization or own.quantization,
                adapter=adapter.hash if adapter else "",
            ),
            codec=load_codec(checkpoint.folder, own.tokenizer),
            checkpoint=checkpoint,
        )

    def _dtype(self, checkpoint: Checkpoint) -> str:
        if self.dtype != AUTO:
            return self.dtype
        return "float32" if self.model == BUNDLED else stored_dtype(checkpoint.folder)
