"""Gradients of the log-odds with respect to the pixels, and maps made of them, against PyTorch."""

import numpy as np
import pytest

from nnspec.runtime.explain.saliency import Question, input_gradient, saliency
from tests.runtime.explain.test_incremental import network

torch = pytest.importorskip("torch")


def test_gradient_and_grad_cam_are_those_of_pytorch() -> None:
    made = network("conv 3x3 x4 pad=same relu -> maxpool 2 -> dense 5 softmax", (8, 8, 3))
    images = np.random.default_rng(0).normal(size=(4, 8, 8, 3))
    question = Question.of(made, images, [0, 1, 4, 2])
    weights = {name: torch.from_numpy(values) for name, values in made.parameters.items()}
    x = torch.from_numpy(images).requires_grad_()
    seen = (x - torch.from_numpy(made.preprocessing.shift)) / torch.from_numpy(made.preprocessing.scale)
    kernel = weights["conv1/weight"].permute(3, 2, 0, 1)
    hidden = torch.relu(torch.nn.functional.conv2d(seen.permute(0, 3, 1, 2), kernel, weights["conv1/bias"], padding=1))
    pooled = torch.nn.functional.max_pool2d(hidden, 2)
    pooled.retain_grad()
    z = pooled.permute(0, 2, 3, 1).reshape(4, -1) @ weights["dense1/weight"] + weights["dense1/bias"]
    p = torch.softmax(z, 1)[torch.arange(4), torch.tensor([0, 1, 4, 2])]
    torch.logit(p).sum().backward()
    assert x.grad is not None and pooled.grad is not None
    np.testing.assert_allclose(input_gradient(question), x.grad.numpy(), rtol=1e-7, atol=1e-9)
    importance = pooled.grad.mean((2, 3), keepdim=True)
    small = torch.relu((importance * pooled).sum(1, keepdim=True))
    resized = torch.nn.functional.interpolate(small, (8, 8), mode="bilinear", align_corners=False)
    np.testing.assert_allclose(saliency(question, "grad_cam"), resized[:, 0].detach().numpy(), rtol=1e-5, atol=1e-6)
