"""vLLM's own server, which other tests use: it runs the bundled model and takes token ids, n and seeds."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest

from steplabel.engines import GenerateRequest
from steplabel.engines.vllm.spec import VLLMSpec

pytestmark = [pytest.mark.slow, pytest.mark.vllm, pytest.mark.timeout(1800)]


def completion(url: str, **body: Any) -> dict[str, Any]:
    request = urllib.request.Request(
        f"{url}/v1/completions",
        data=json.dumps({"model": "bundled", "max_tokens": 60, "top_p": 1, "top_k": 0} | body).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=300) as answer:
        found: dict[str, Any] = json.load(answer)
        return found


def test_server_answers_token_ids(vllm_server: str, ask_problem: Callable[..., GenerateRequest]) -> None:
    """Two samples of a prompt given as ids; the same again for the same seed, and other for another."""
    ids = list(VLLMSpec().preview().render(ask_problem(2)).token_ids)
    asked = {"prompt": ids, "n": 2, "temperature": 2.0}
    first, again, other = (completion(vllm_server, **asked, seed=seed) for seed in (7, 7, 8))
    texts = [[choice["text"] for choice in answer["choices"]] for answer in (first, again, other)]
    assert len(texts[0]) == 2
    assert texts[0] == texts[1] != texts[2]
    assert first["usage"]["prompt_tokens"] == len(ids)
