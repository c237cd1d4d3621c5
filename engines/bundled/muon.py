"""Muon: momentum whose update is made orthogonal, for the matrices of a small transformer.

Keller Jordan et al., "Muon: An optimizer for hidden layers in neural networks" (2024): a step moves a matrix
along the nearest (semi-)orthogonal matrix to its momentum, found by five Newton-Schulz iterations. On this
task it needed far fewer tokens than AdamW alone.

`torch.optim.Muon` iterates in bfloat16, one matrix at a time: on a CPU without bfloat16 units it took 45 % of
a training step. Here matrices of equal shape go through together, in float32 on a CPU.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

_COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # the paper's quintic: fast near zero, inexact (.7 to 1.2) near one
_ITERATIONS = 5


class Muon(torch.optim.Optimizer):
    """Nesterov momentum, orthogonalised; weight decay is decoupled as in AdamW. Takes matrices only."""

    def __init__(
        self,
        matrices: Iterable[nn.Parameter],
        *,
        lr: float,
        momentum: float = 0.95,
        weight_decay: float = 0.01,
    ) -> None:
        super().__init__(list(matrices), {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]  # the base class allows a closure; none is used here
        """Update every matrix that has a gradient."""
        for group in self.param_groups:
            by_shape: defaultdict[torch.Size, list[nn.Parameter]] = defaultdict(list)
            for parameter in group["params"]:
                if parameter.grad is not None:
                    by_shape[parameter.shape].append(parameter)
            for parameters in by_shape.values():
                self._step_together(parameters, group)

    def _step_together(self, parameters: list[nn.Parameter], group: dict[str, Any]) -> None:
        gradients = torch.stack([p.grad for p in parameters if p.grad is not None])
        momenta = torch.stack([self._momentum(p) for p in parameters])
        momenta.lerp_(gradients, 1 - group["momentum"])
        updates = orthogonalize(gradients.lerp(momenta, group["momentum"]))
        # A tall matrix spreads its update over more rows; this keeps the change of its outputs comparable.
        scale = max(1.0, updates.shape[-2] / updates.shape[-1]) ** 0.5
        for parameter, momentum, update in zip(parameters, momenta, updates, strict=True):
            self.state[parameter]["momentum"].copy_(momentum)
            parameter.mul_(1 - group["lr"] * group["weight_decay"])
            parameter.add_(update, alpha=-group["lr"] * scale)

    def _momentum(self, parameter: nn.Parameter) -> Tensor:
        state = self.state[parameter]
        if "momentum" not in state:
            state["momentum"] = torch.zeros_like(parameter)
        momentum: Tensor = state["momentum"]
        return momentum


def orthogonalize(matrices: Tensor) -> Tensor:
    """Send each matrix of a stack (count, rows, columns) near its closest semi-orthogonal one."""
    a, b, c = _COEFFICIENTS
    wide = matrices.mT if matrices.shape[-2] > matrices.shape[-1] else matrices
    x: Tensor = wide / (torch.linalg.matrix_norm(wide, keepdim=True) + 1e-7)
    for _ in range(_ITERATIONS):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.mT if matrices.shape[-2] > matrices.shape[-1] else x
