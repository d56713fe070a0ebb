"""What `nnspec gradcheck` measures on: a network in float64, samples and targets."""

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from nnspec.runtime.arrays import Array
    from nnspec.runtime.data import Data
    from nnspec.runtime.infer.network import Network


class Asked(NamedTuple):
    """A network in float64, raw samples (batch, …), their targets as the loss takes them, and where these are from."""

    network: "Network"
    samples: "Array"
    targets: "Array"
    origin: str


def gradients_of(file: str, settings: dict[str, str], variant: str | None, data: str | None, count: int) -> Asked:
    """Return what a spec or a checkpoint names. Raises SpecError, DataError, CheckpointError."""
    import numpy as np

    from nnspec.cli.checkpoint import is_checkpoint, open_checkpoint, refuse_changes
    from nnspec.runtime.infer.network import Network
    from nnspec.runtime.train.spec_and_data import check_with_data, compiled, network_data
    from nnspec.spec_lang.check.spec_request import Request

    if is_checkpoint(file):
        refuse_changes(settings, variant)
        network = open_checkpoint(file)[1].network.in_type(np.float64)
        if data is None and (network.spec.data is None or network.spec.data.in_memory):
            return _random(network, count)
        return _first(network, network_data(network, data), count)
    request = Request(file, settings, variant, data)
    spec = request.check()
    if spec.data is None:
        return _random(compiled(request, np.float64, None), count)
    spec, found = check_with_data(request)
    network = Network(spec, found.preprocessing, np.float64)
    network.initialize(spec.train.seed)
    return _first(network, found, count)


def _first(network: "Network", data: "Data", count: int) -> Asked:
    import numpy as np

    from nnspec.cli.format import format_count
    from nnspec.runtime.data.array_likes import take

    samples = np.asarray(take(data.train.inputs, slice(0, count)))
    origin = f"{data.name}, the first {format_count(len(samples), 'training sample')}"
    return Asked(network, samples, data.train.targets[:count], origin)


def _random(network: "Network", count: int) -> Asked:
    from nnspec.cli.format import format_count
    from nnspec.runtime.infer.drawn import drawn_samples, drawn_targets
    from nnspec.runtime.randomness import stream

    outputs = (count, *(network.spec.output_shape or ()))
    targets = drawn_targets(network.spec.loss, outputs, stream(0, "targets"))
    return Asked(network, drawn_samples(network, count), targets, format_count(count, "random sample"))
