"""Weights that two layers share, against PyTorch: the loss and all gradients."""

import numpy as np
import torch
from torch.nn import functional

import nnspec


def test_an_embedding_that_is_also_the_output_gets_the_sum_of_both_gradients() -> None:
    text = "input 5\nembed 4 vocab=7 -> dense 4 tanh -> dense 7 softmax as=embed1"
    network = nnspec.compile(text, seed=2, dtype="float64")
    random = np.random.default_rng(3)
    x, y = random.integers(0, 7, (3, 5)), random.integers(0, 7, (3, 5))
    tensors = {name: torch.tensor(array, requires_grad=True) for name, array in network.parameters.items()}
    assert "dense2/weight" not in tensors
    embedding = tensors["embed1/weight"]
    hidden = functional.embedding(torch.tensor(x), embedding)
    hidden = torch.tanh(hidden @ tensors["dense1/weight"] + tensors["dense1/bias"])
    logits = functional.linear(hidden, embedding, tensors["dense2/bias"])
    theirs = functional.cross_entropy(logits.reshape(-1, 7), torch.tensor(y.reshape(-1)))
    theirs.backward()
    loss, gradients = network.loss_and_gradients(x, y)
    assert abs(loss - theirs.item()) < 1e-12
    for name, tensor in tensors.items():
        assert tensor.grad is not None
        np.testing.assert_allclose(gradients[name], tensor.grad.numpy(), rtol=1e-9, atol=1e-12)


def test_training_steps_a_shared_array_once_as_pytorchs_optimizer_does() -> None:
    """Three steps of momentum with weight decay: an array that was stepped twice would be elsewhere."""
    text = (
        "input 6\ndense 4 tanh bias=no -> dense 6 as=dense1 bias=no\n"
        "data arrays\nloss mse\noptimizer momentum lr=0.1 beta=0.9 weight_decay=0.01\ntrain 3 iterations batch=8"
    )
    random = np.random.default_rng(5)
    x = random.normal(size=(8, 6)).astype(np.float32)
    start = nnspec.compile(text.replace("data arrays\n", ""), seed=4).parameters["dense1/weight"]
    run = nnspec.train(text, data=(x, x), seed=4, settings={"data.targets": "none"})
    weight = torch.tensor(start, requires_grad=True)
    optimizer = torch.optim.SGD([weight], lr=0.1, momentum=0.9, weight_decay=0.01)
    for _ in range(3):
        optimizer.zero_grad()
        inputs = torch.tensor(x)
        functional.mse_loss(torch.tanh(inputs @ weight) @ weight.T, inputs).backward()
        optimizer.step()
    np.testing.assert_allclose(run.network.parameters["dense1/weight"], weight.detach().numpy(), rtol=2e-5, atol=1e-6)
