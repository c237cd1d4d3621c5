"""Muon: updates are nearly orthogonal, and stepping matrices together is stepping them one by one."""

from __future__ import annotations

from copy import deepcopy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from steplabel.engines.bundled.muon import Muon, orthogonalize


def matrices(count: int, rows: int, columns: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(count, rows, columns, generator=torch.Generator().manual_seed(seed))


@settings(max_examples=25)
@given(rows=st.integers(2, 40), columns=st.integers(2, 40), seed=st.integers(0, 1000))
def test_singular_values_come_near_one(rows: int, columns: int, seed: int) -> None:
    """The iteration brings every singular value that is not tiny to .6 ... 1.3."""
    result = orthogonalize(matrices(3, rows, columns, seed))
    before = torch.linalg.svdvals(matrices(3, rows, columns, seed))
    after = torch.linalg.svdvals(result)
    large = before > 0.1 * before.amax(dim=-1, keepdim=True)
    assert after.max() < 1.3
    assert after[large].min() > 0.6


def test_singular_directions_are_kept() -> None:
    """Only the singular values change: the update lies along the momentum's own directions."""
    matrix = matrices(1, 12, 8)
    left, _, right = torch.linalg.svd(matrix[0], full_matrices=False)
    inner = left.T @ orthogonalize(matrix)[0] @ right.T
    assert (inner - torch.diag(inner.diagonal())).abs().max() < 1e-4
    assert inner.diagonal().min() > 0


@pytest.mark.parametrize("shape", [(6, 10), (10, 6)])
def test_transpose_commutes(shape: tuple[int, int]) -> None:
    """Tall and wide matrices are treated alike."""
    stack = matrices(2, *shape)
    torch.testing.assert_close(orthogonalize(stack.mT), orthogonalize(stack).mT)


def test_scale_of_the_gradient_does_not_matter() -> None:
    """An update depends on the direction of the momentum alone."""
    stack = matrices(2, 6, 10)
    torch.testing.assert_close(orthogonalize(stack), orthogonalize(1000 * stack), rtol=1e-4, atol=1e-4)


def run(shapes: list[tuple[int, int]], steps: int, *, together: bool) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(3)
    parameters = [nn.Parameter(torch.randn(shape, generator=generator)) for shape in shapes]
    groups = [parameters] if together else [[parameter] for parameter in parameters]
    optimizers = [Muon(group, lr=0.1) for group in groups]
    for _ in range(steps):
        for parameter in parameters:
            parameter.grad = torch.randn(parameter.shape, generator=generator)
        for optimizer in optimizers:
            optimizer.step()
    return [parameter.detach() for parameter in parameters]


def test_stacking_changes_nothing() -> None:
    """Matrices of equal shape go through one batched iteration; the result is as if each went alone."""
    shapes = [(8, 8), (8, 8), (12, 8), (8, 12), (12, 8)]
    pairs = zip(run(shapes, 3, together=True), run(shapes, 3, together=False), strict=True)
    for stacked, alone in pairs:
        torch.testing.assert_close(stacked, alone, rtol=1e-4, atol=1e-4)


def test_agrees_with_torch_up_to_bfloat16() -> None:
    """Where torch has Muon, ours takes the same step up to the rounding of its bfloat16 iteration."""
    theirs = getattr(torch.optim, "Muon", None)
    if theirs is None:
        pytest.skip("this torch has no Muon to compare with")
    gradient = matrices(1, 24, 16)[0]
    results = []
    for kind in (Muon, theirs):
        parameter = nn.Parameter(torch.zeros(24, 16))
        optimizer = kind([parameter], lr=0.1, momentum=0.95, weight_decay=0.01)
        for _ in range(2):
            parameter.grad = gradient.clone()
            optimizer.step()
        results.append(parameter.detach())
    cosine = torch.nn.functional.cosine_similarity(*(result.flatten() for result in results), dim=0)
    assert cosine > 0.999
    assert results[0].norm() == pytest.approx(float(results[1].norm()), rel=0.05)


def test_parameters_without_gradient_are_left_alone() -> None:
    """No gradient, no step and no decay."""
    parameter = nn.Parameter(torch.ones(4, 4))
    Muon([parameter], lr=0.1).step()
    assert torch.equal(parameter, torch.ones(4, 4))


def test_decay_is_decoupled() -> None:
    """With a zero gradient what is left of the step is the decay."""
    parameter = nn.Parameter(torch.ones(4, 4))
    parameter.grad = torch.zeros(4, 4)
    Muon([parameter], lr=0.1, weight_decay=0.5).step()
    torch.testing.assert_close(parameter.detach(), torch.full((4, 4), 0.95))


def test_state_survives_saving() -> None:
    """A restored optimiser goes on as the first would have."""
    first, second = (nn.Parameter(torch.eye(4)) for _ in range(2))
    one, two = Muon([first], lr=0.1), Muon([second], lr=0.1)
    first.grad = matrices(1, 4, 4)[0]
    one.step()
    two.load_state_dict(deepcopy(one.state_dict()))  # torch's own loading shares the tensors
    second.data.copy_(first.data)
    for parameter, optimizer in ((first, one), (second, two)):
        parameter.grad = matrices(1, 4, 4, seed=5)[0]
        optimizer.step()
    assert torch.equal(first, second)
