"""A network with its weights, as `compile` and `load` return it and `train` changes it."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from threading import Lock
from typing import Any

import numpy as np

from nnspec.runtime.arena import Arena
from nnspec.runtime.compiler.graph import build_graph
from nnspec.runtime.data import Preprocessing
from nnspec.runtime.errors import NetworkError, TrainingError
from nnspec.runtime.execute.blas import fixed_threads
from nnspec.runtime.infer.program_cache import Programs, lanes_asked
from nnspec.runtime.infer.reference_program import Program
from nnspec.runtime.layers import Mode
from nnspec.runtime.randomness import stream
from nnspec.spec_lang.check.spec import Spec
from nnspec.spec_lang.vocabulary.registry import Word, words
from nnspec.spec_lang.vocabulary.shape import Parameter


class Network:
    """A checked spec, its weights, and the preprocessing fitted to its data.

    Samples are raw, as in the data, (batch, *input shape): the network normalizes them. `programs` are compiled;
    `program` is the plain one that defines what they compute.

    Several threads may call one network at the same time. Only one may train it, and a prediction during a training may
    use some of the old weights and some of the new. Copies (`copy.copy`, `copy.deepcopy`, pickle) have their own
    weights.
    """

    def __init__(self, spec: Spec, preprocessing: Preprocessing, dtype: Any = np.float32):
        self.spec = spec
        self.preprocessing = preprocessing
        self.dtype = _float_type(dtype)
        self.parameter_arena = Arena(spec.parameters(), self.dtype)
        self.buffer_arena = Arena(spec.buffers(), self.dtype)
        graph = build_graph(spec)
        self.program = Program(graph, spec.loss, self.parameter_arena, self.buffer_arena)
        self.programs = Programs(
            graph, spec.loss, self.parameter_arena, self.buffer_arena, preprocessing, lanes=lanes_asked(spec)
        )
        self._training = os.getpid(), Lock()

    def __reduce__(self) -> tuple[Any, ...]:
        from nnspec.runtime.infer.network_file import network_from_bytes

        return network_from_bytes, (self.to_bytes(),)

    def __copy__(self) -> "Network":
        return self.in_type(self.dtype)

    def in_type(self, dtype: Any) -> "Network":
        """Return a copy that computes in float32 or float64, with weights of its own."""
        copied = type(self)(self.spec, self.preprocessing, dtype)
        copied.parameter_arena.flat[...] = self.parameter_arena.flat
        copied.buffer_arena.flat[...] = self.buffer_arena.flat
        return copied

    def __deepcopy__(self, memo: dict[int, Any]) -> "Network":
        return self.__copy__()  # the spec and the preprocessing are immutable

    def __repr__(self) -> str:
        spec = self.spec
        return f"<Network {spec.title}: {spec.input} → {spec.output_shape}, {spec.parameter_count:,} parameters>"

    def initialize(self, seed: int) -> None:
        """Draw the first weights as the spec says, from one stream, in the order of the layers."""
        from nnspec.runtime.initializers import initialize

        random = stream(seed, "init")
        for node in self.spec.nodes:
            for name, parameter in node.parameters().items():
                word = _initializer(parameter, self.spec.init)
                self.parameter_arena[name][...] = initialize(word, parameter, random, self.dtype)
            for name, buffer in node.buffers().items():
                word = _initializer(buffer, self.spec.init)
                self.buffer_arena[name][...] = initialize(word, buffer, random, self.dtype)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the network to a sealed file that `nnspec.load` reads; a former file stays as FILE.prev.

        Raises CheckpointError if the system refuses or a weight is NaN or infinite.
        """
        from nnspec.runtime.infer.network_file import save_network

        save_network(self, path)

    def to_bytes(self) -> bytes:
        """Return the network as sealed bytes that `nnspec.from_bytes` reads.

        Raises CheckpointError if a weight is NaN or infinite.
        """
        from nnspec.runtime.infer.network_file import network_to_bytes

        return network_to_bytes(self)

    @property
    def parameters(self) -> dict[str, np.ndarray]:
        """Copies of the trainable arrays by name: conv1/weight, dense1/bias."""
        return self.parameter_arena.copies()

    def set_parameters(self, parameters: Mapping[str, np.ndarray]) -> None:
        """Write some or all of the parameters. Raises NetworkError for an unknown name or another shape."""
        _fill(self.parameter_arena, parameters, "parameter")

    @property
    def buffers(self) -> dict[str, np.ndarray]:
        """Copies of the arrays that training updates without a gradient, by name: batchnorm1/running_mean."""
        return self.buffer_arena.copies()

    def set_buffers(self, buffers: Mapping[str, np.ndarray]) -> None:
        """Write some or all of the buffers, such as the statistics of a batchnorm that was trained elsewhere.

        Raises NetworkError for an unknown name, another shape, or a negative running variance.
        """
        if isinstance(buffers, Mapping):
            for name, array in buffers.items():
                if str(name).endswith("/running_var") and (np.asarray(array) < 0).any():
                    raise NetworkError(f"{name} is a variance, and a number of it is negative", 2)
        _fill(self.buffer_arena, buffers, "buffer")

    @contextmanager
    def trained(self) -> Iterator[None]:
        """Reserve the network for one training. Raises TrainingError if it is being trained already."""
        if self._training[0] != os.getpid():  # the lock of the parent of a forked process
            self._training = os.getpid(), Lock()
        if not self._training[1].acquire(blocking=False):
            raise TrainingError(
                f"{self.spec.title} is being trained already; train a copy of it: copy.deepcopy(network)"
            )
        try:
            yield
        finally:
            self._training[1].release()

    def predict(self, x: Any) -> np.ndarray:
        """Return the network's outputs, (batch, *output shape): probabilities where it ends in softmax or sigmoid.

        They are scores where the loss is one of scores, such as hinge. Numbers are in the units of the targets, also
        where the network was trained on scaled ones.
        """
        return self.unscaled(self.programs.answers("outputs", self.programs.as_samples(x)))

    @property
    def classes(self) -> tuple[str, ...] | None:
        """The names of the classes in the order of the outputs; None where the network predicts anything else.

        A single output that tells two classes apart is the probability of the second.
        """
        one_of_many = self.spec.classification or (self.spec.output_shape or ())[-1:] == (1,)
        if self.preprocessing.task != "classification" or not one_of_many:
            return None
        count = max((self.spec.output_shape or (2,))[-1], 2)
        return tuple(self.preprocessing.class_name(number) for number in range(count))

    def predict_classes(self, x: Any) -> np.ndarray:
        """Return the most probable class of each sample, (batch,), or of each step, (batch, time).

        Classes that were given as text are names, those that were given as whole numbers are these numbers. Raises
        NetworkError where the network does not tell classes apart.
        """
        names = self.classes
        if names is None:
            raise NetworkError(f"{self.spec.name} does not tell classes apart: network.predict(x) has its outputs", 2)
        outputs = self.predict(x)
        second = outputs[..., 0] > self.spec.loss.threshold  # of a single output
        numbers = second.astype(np.intp) if outputs.shape[-1] == 1 else outputs.argmax(axis=-1)
        whole = all(name.removeprefix("-").isdecimal() for name in names)
        classes: np.ndarray = np.array([int(name) for name in names] if whole else names)
        return np.asarray(classes[numbers])

    def as_targets(self, y: Any) -> np.ndarray:
        """Return targets as losses and metrics take them: classes as numbers. `y` is as for `nnspec.evaluate`."""
        from nnspec.runtime.data.known_targets import known_targets

        one_each = self.classes is not None and len(self.spec.output_shape or ()) == 1
        targets = known_targets(y, self.preprocessing, one_each)
        pixels = self.classes is not None and len(self.spec.output_shape or ()) == 3
        return targets[..., 0] if pixels and targets.ndim == 4 and targets.shape[-1] == 1 else targets

    def unscaled(self, outputs: np.ndarray) -> np.ndarray:
        """Return computed outputs (…, outputs) in the units of the targets: as they are, unless targets are scaled."""
        scaling = self.preprocessing.target_scaling
        return outputs if scaling is None else self._each_answer(scaling.invert, outputs)

    def scaled_outputs(self, outputs: np.ndarray) -> np.ndarray:
        """Return outputs (…, outputs) in the units of the targets as the network would compute them."""
        scaling = self.preprocessing.target_scaling
        return outputs if scaling is None else self._each_answer(scaling.apply, outputs)

    def _each_answer(self, change: Callable[[np.ndarray], np.ndarray], outputs: np.ndarray) -> np.ndarray:
        """Return changed outputs: a change takes one output for each number of the targets, (…, targets)."""
        count = self.spec.loss.answers
        if count == 1:
            return change(outputs)
        changed = [change(outputs[..., place::count]) for place in range(count)]
        return np.stack(changed, axis=-1).reshape(outputs.shape)

    def scaled_targets(self, targets: np.ndarray, outputs: np.ndarray) -> np.ndarray:
        """Return targets in the units of the network, for its loss: as they are, unless targets are scaled.

        `outputs` are computed ones, of which the shape matters. Raises TargetError where the shapes do not fit.
        """
        scaling = self.preprocessing.target_scaling
        return targets if scaling is None else scaling.scaled(targets, outputs[..., :: self.spec.loss.answers])

    def loss_and_gradients(self, x: Any, y: Any) -> tuple[float, dict[str, np.ndarray]]:
        """Return the training loss, the mean over the batch, and its gradients by parameter.

        It is computed as in training, with the statistics of the batch, but without dropout: where the network was
        trained on scaled targets, `y` is in their own units and the loss is that of the scaled ones. The network is
        unchanged.
        """
        gradients = Arena(self.spec.parameters(), self.dtype)
        self.programs.as_samples(x)  # raises DataError for arrays that are not samples
        batch = self.preprocessing.apply(x, self.dtype)
        program = self.program.with_own_buffers() if self.buffer_arena else self.program
        outputs = np.broadcast_to(self.dtype.type(0), (len(batch), *(self.spec.output_shape or ())))
        targets = self.scaled_targets(self.as_targets(y), outputs)
        with fixed_threads(1):  # another thread's number would change the bits
            loss = program.loss_and_gradients(batch, targets, Mode(training=True), gradients)
        return loss, gradients.copies()


def _float_type(dtype: Any) -> np.dtype[Any]:
    for known in (np.dtype(np.float32), np.dtype(np.float64)):
        try:
            if dtype is not None and known == np.dtype(dtype):
                return known
        except TypeError:  # not the name of a type at all
            break
    raise NetworkError(f"dtype is {dtype!r}, and a network computes in float32 or float64: give one of them", 2)


def _initializer(parameter: Parameter, default: Word) -> Word:
    """Return the array's own initializer, else the spec's."""
    if parameter.value is not None:
        from nnspec.spec_lang.vocabulary.initializers import Constant

        return Constant(value=parameter.value)
    return words("init")[parameter.init]() if parameter.init is not None else default


def _fill(arena: Arena, arrays: Mapping[str, np.ndarray], what: str) -> None:
    """Write arrays into an arena. Raises NetworkError for an unknown name or another shape."""
    if not isinstance(arrays, Mapping):
        raise NetworkError(f"{what}s are a {type(arrays).__name__}: give a dict of arrays by name", 2)
    try:
        arena.fill(arrays)
    except KeyError as error:
        known = f"it has {', '.join(arena)}" if list(arena) else "it has none"
        raise NetworkError(f"the network has no {what} {error}; {known}") from None
    except ValueError as error:
        raise NetworkError(str(error)) from None
