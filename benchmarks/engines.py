"""What engines and the store cost, on the machine at hand.

    python benchmarks/engines.py [--only pipeline|store|replay] [--rows 64 ...] [--requests 96] [--json]

pipeline  the transformers engine alone: 8 samples of each of many ragged prompts, all asked at once.
          Generated tokens per second of wall and of processor time, by the most rows decoded together.
store     the same requests through a rollout store over a scripted engine that answers at once, and without
          it: the difference is what the store costs a rollout, as a share of the model's time for one.
replay    the model's requests through a store, drawn and then replayed by a store opened anew.

The model is the bundled one; before it is trained, a random one of the same shape stands in (its samples run
to the token limit, which changes lengths, not the cost of a token).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from steplabel.engines import (
    Engine,
    GenerateRequest,
    Prompt,
    RolloutStore,
    ScriptedEngine,
)
from steplabel.engines.bundled import weights_path
from steplabel.engines.bundled.tokenizer import save_tokenizer, vocabulary
from steplabel.engines.transformers_spec import TransformersSpec
from steplabel.schemas import SamplingParams

SAMPLES = 8  # of each prompt, as Monte-Carlo labels take them
EVENTS = ("keeps only one in 3.", "gets 76 as a gift.", "now has 2 times as many.", "gives 15 away.")
MONTHS = ("May", "June", "July", "August", "January", "March", "April", "October")


def model_folder(scratch: Path) -> Path:
    """The bundled weights, or a random model of their shape."""
    if list(weights_path().glob("*.safetensors")):
        return weights_path()
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(vocabulary()),
        hidden_size=192,
        intermediate_size=512,
        num_hidden_layers=4,
        num_attention_heads=6,
        max_position_embeddings=512,
        tie_word_embeddings=True,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=0,
    )
    LlamaForCausalLM(config).save_pretrained(scratch / "random")
    save_tokenizer(scratch / "random")
    return scratch / "random"


def requests(count: int) -> list[GenerateRequest]:
    """Prompts of 3 to 8 events."""
    made = []
    for number in range(count):
        events = [f"{MONTHS[i]}: {EVENTS[(i + number) % 4]}\n" for i in range(3 + number % 6)]
        text = f"Uma has {10 + number % 80} cards.\n{''.join(events)}How many cards does Uma have?\n"
        sampling = SamplingParams(max_tokens=110)
        made.append(GenerateRequest(prompt=Prompt(text=text), n=SAMPLES, seed=number, sampling=sampling))
    return made


async def answered(engine: Engine, wanted: Sequence[GenerateRequest]) -> dict[str, float]:
    """Ask everything at once; seconds of wall and of this process, samples and tokens."""
    wall, cpu = time.perf_counter(), time.process_time()
    answers = await asyncio.gather(*(engine.generate(request) for request in wanted))
    samples = [sample for answer in answers for sample in answer.samples]
    return {
        "wall_s": time.perf_counter() - wall,
        "cpu_s": time.process_time() - cpu,
        "samples": len(samples),
        "tokens": sum(sample.completion_tokens for sample in samples),
    }


async def measure(open_engine: Callable[[], Engine], wanted: Sequence[GenerateRequest]) -> dict[str, float]:
    """Open, warm up on other requests, measure, close."""
    engine = open_engine()
    warm_up = GenerateRequest(prompt=Prompt(text="Uma"), n=4, sampling=SamplingParams(max_tokens=4))
    await engine.generate(warm_up)
    result = await answered(engine, wanted)
    await engine.close()
    return result


def pipeline(folder: Path, rows: Sequence[int], count: int) -> list[dict[str, float]]:
    """Throughput of the model alone, by rows."""
    results = []
    for most in rows:
        spec = TransformersSpec(model=str(folder), dtype="float32", max_rows=most)
        result = asyncio.run(measure(spec.open, requests(count)))
        result |= {"max_rows": most, "tokens_per_s": result["tokens"] / result["wall_s"]}
        results.append(result | {"tokens_per_cpu_s": result["tokens"] / result["cpu_s"]})
    return results


def script(_request: GenerateRequest, _index: int, seed: int) -> str:
    """A text as long as the bundled model's."""
    return f"May: 62//3=20\nJune: 20+76=96\nJuly: 96*2=192\nAugust: 192-15=177\nAnswer: {seed % 200}\n"


def store(scratch: Path, model_s: float, count: int) -> dict[str, float]:
    """Processor seconds that the store adds to a rollout; `model_s` is the model's own for one."""
    wanted = requests(count * 8)
    plain = asyncio.run(measure(lambda: ScriptedEngine(script), wanted))
    path = scratch / "cost.sqlite"
    stored = asyncio.run(measure(lambda: RolloutStore(ScriptedEngine(script), path), wanted))
    added = (stored["cpu_s"] - plain["cpu_s"]) / stored["samples"]
    return {
        "rollouts": stored["samples"],
        "added_us_per_rollout": added * 1e6,
        "model_us_per_rollout": model_s * 1e6,
        "share_of_model": added / model_s,
        "bytes_per_rollout": path.stat().st_size / stored["samples"],
    }


def replay(folder: Path, scratch: Path, rows: int, count: int) -> dict[str, float]:
    """Wall time of drawing through a store, and of doing the same again from what it holds."""
    path = scratch / "replay.sqlite"
    spec = TransformersSpec(model=str(folder), dtype="float32", max_rows=rows)
    drawn = asyncio.run(measure(lambda: RolloutStore(spec.open(), path), requests(count)))
    again = asyncio.run(measure(lambda: RolloutStore(spec.open(), path), requests(count)))
    return {
        "rollouts": drawn["samples"],
        "drawn_s": drawn["wall_s"],
        "replayed_s": again["wall_s"],
        "speed_up": drawn["wall_s"] / again["wall_s"],
        "replayed_per_s": again["samples"] / again["wall_s"],
    }


def report(results: dict[str, Any]) -> None:
    """A table for people."""
    for part, found in results.items():
        for row in found if isinstance(found, list) else [found]:
            print(f"{part:9}", "  ".join(f"{name}={value:,.4g}" for name, value in row.items()))


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--only", choices=("pipeline", "store", "replay"))
    parser.add_argument("--rows", type=int, nargs="+", default=[128])
    parser.add_argument("--requests", type=int, default=96)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        model = model_folder(scratch)
        if options.only in (None, "pipeline", "store"):
            results["pipeline"] = pipeline(model, options.rows, options.requests)
        if options.only in (None, "store"):
            alone = results["pipeline"][0]
            results["store"] = store(scratch, alone["cpu_s"] / alone["samples"], options.requests)
        if options.only in (None, "replay"):
            results["replay"] = replay(model, scratch, options.rows[0], options.requests)
    if options.json:
        print(json.dumps(results, indent=2))
    else:
        report(results)


if __name__ == "__main__":
    main()
