"""Keeps one vLLM engine alive, on a thread and an event loop of its own.

vLLM's asynchronous engine belongs to the loop that it first runs on, and its callers here come from any. So it
gets its own, and answers travel back to the caller's loop. Its model runs in processes of its own, which can
die (memory, a driver): they are started again once, and what was on its way is asked again. Seeds make it draw
the same again, so only time is lost. A second death is no accident, and fails everything from then on.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import threading
import time
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Future
from typing import Any, Final, TypeVar, cast

from vllm import RequestOutput, SamplingParams
from vllm.exceptions import VLLMClientError
from vllm.inputs import tokens_input
from vllm.lora.request import LoRARequest
from vllm.v1.engine.async_llm import AsyncLLM
from vllm.v1.engine.exceptions import EngineDeadError, EngineGenerateError

from steplabel.schemas import ConfigError, EngineClosed, EngineError

T = TypeVar("T")
MOST_RESTARTS: Final = 1
RESTART_PAUSE_SECONDS: Final = 2.0  # a driver takes a moment to give the memory of killed processes back
SHUTDOWN_SECONDS: Final = 20.0  # for an orderly end, before processes are killed; it takes 1 to 10
TIDY_SECONDS: Final = 5.0
ADVICE: Final = (
    "Look for what it said last (VLLM_LOGGING_LEVEL=INFO says more) and whether memory ran out (dmesg, nvidia-smi); "
    "a smaller gpu_memory_utilization, max_model_len or max_num_seqs takes less of it"
)
_log = logging.getLogger(__name__)


class Supervisor:
    """Answers requests with the engine that `launch` starts, and starts it again if it dies. Thread-safe.

    Args:
        launch: starts the engine and waits until it is ready; its errors are raised here.
        lora: adapter that every request runs with.
    """

    def __init__(self, launch: Callable[[], AsyncLLM], *, lora: LoRARequest | None = None) -> None:
        self._launch = launch
        self._lora = lora
        self._restarts = 0
        self._lost = ""  # why there is no engine any more
        self._closing = False
        self._lock = threading.Lock()
        self._numbers = itertools.count()
        self._tasks: set[asyncio.Task[RequestOutput]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="steplabel-vllm", daemon=True)
        self._thread.start()
        try:
            self._llm = asyncio.run_coroutine_threadsafe(self._started(), self._loop).result()
        except BaseException:  # Ctrl-C as well: the thread must not outlive a failed start
            self._end_thread()
            raise
        self.max_model_len: Final = int(self._llm.model_config.max_model_len)

    async def generate(self, prompt_ids: Sequence[int], params: SamplingParams) -> RequestOutput:
        """Answer one request. A cancelled call takes its request out of the engine.

        Raises:
            ConfigError: vLLM refuses the request.
            EngineError: the engine failed, or has died too often.
            EngineClosed: after `close`, or when it comes while the request waits.
        """
        return await asyncio.wrap_future(self._submitted(self._answer(prompt_ids, params)))

    async def reset_prefix_cache(self) -> None:
        """Empty the cache of prefixes.

        Raises:
            EngineError: requests are running, whose prefixes cannot be forgotten.
            EngineClosed: after `close`.
        """
        await asyncio.wrap_future(self._submitted(self._reset_prefix_cache()))

    def close(self) -> None:
        """End the engine's processes and the thread; blocks for seconds. Waiting requests fail with EngineClosed."""
        with self._lock:
            first, self._closing = not self._closing, True
        if first:
            asyncio.run_coroutine_threadsafe(self._shut_down(), self._loop).result()
            self._end_thread()
        self._thread.join()

    def _submitted(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        with self._lock:  # else `close` could end the loop between the question and the hand-over
            if self._closing:
                coroutine.close()
                raise EngineClosed("the engine was closed")
            return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    async def _reset_prefix_cache(self) -> None:
        if not await self._llm.reset_prefix_cache():
            raise EngineError("vLLM forgets no prefix while requests run")

    async def _started(self) -> AsyncLLM:
        # On the loop, which it blocks: the engine's own tasks begin at once, so no early death goes unnoticed.
        return self._launch()

    async def _answer(self, prompt_ids: Sequence[int], params: SamplingParams) -> RequestOutput:
        task = cast("asyncio.Task[RequestOutput]", asyncio.current_task())  # a coroutine runs in one
        self._tasks.add(task)
        try:
            return await self._persistently(prompt_ids, params)
        except asyncio.CancelledError:
            if self._closing:
                raise EngineClosed("the engine was closed") from None
            raise
        finally:
            self._tasks.discard(task)

    async def _persistently(self, prompt_ids: Sequence[int], params: SamplingParams) -> RequestOutput:
        while True:
            llm = self._llm
            try:
                return await self._ask(llm, prompt_ids, params)
            except VLLMClientError as error:
                raise ConfigError(f"vLLM refuses the request: {error}") from error
            except (EngineDeadError, EngineGenerateError) as error:
                if not llm.errored:
                    raise EngineError(f"vLLM failed: {error.__cause__ or error!r}") from error
            self._replace(llm)

    async def _ask(self, llm: AsyncLLM, prompt_ids: Sequence[int], params: SamplingParams) -> RequestOutput:
        answers = llm.generate(
            prompt=tokens_input(prompt_token_ids=list(prompt_ids)),
            sampling_params=params,
            request_id=f"steplabel-{next(self._numbers)}",
            lora_request=self._lora,
        )
        last = None
        async for answer in answers:
            last = answer
        if last is None:
            raise EngineError("vLLM ended a request without an answer")
        return last

    def _replace(self, dead: AsyncLLM) -> None:
        """Start the engine again, once for all requests that it left behind. Blocks the loop: nothing can run."""
        if self._llm is not dead:
            return
        if self._closing:
            raise EngineClosed("the engine was closed")
        if not self._lost and self._restarts == MOST_RESTARTS:
            self._lost = f"vLLM's engine process died {MOST_RESTARTS + 1} times. {ADVICE}"
        if self._lost:
            raise EngineError(self._lost)
        self._restarts += 1
        _log.warning("vLLM's engine process died; starting it again with %d requests", len(self._tasks))
        _bury(dead)
        time.sleep(RESTART_PAUSE_SECONDS)
        try:
            self._llm = self._launch()
        except Exception as error:  # vLLM raises all kinds; whichever, there is no engine any more
            self._lost = f"vLLM's engine process died and could not be started again: {error}. {ADVICE}"
            raise EngineError(self._lost) from error

    async def _shut_down(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._llm.shutdown(timeout=SHUTDOWN_SECONDS)
        # The engine's own tasks were told to end; a loop that stops before they do complains of them.
        if rest := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(rest, timeout=TIDY_SECONDS)
        del self._llm  # its finaliser fails if it first runs when the interpreter ends

    def _end_thread(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


def _bury(dead: AsyncLLM) -> None:
    """Give free what a dead engine still holds; whatever that raises must not cost the restart."""
    try:
        dead.shutdown(timeout=0)
    except Exception:  # noqa: BLE001 - vLLM raises all kinds, the more so where its processes are gone
        _log.warning("what is left of vLLM's dead engine could not be shut down", exc_info=True)
