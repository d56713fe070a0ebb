"""What a run needs of its spec: one rule for the last layer, the loss, the metrics, the monitor and the targets.

check asks it with what the spec says; plan and train ask it again with the targets of the data.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from nnspec.spec_lang.check.expectations import unmeasured
from nnspec.spec_lang.check.spec import Spec
from nnspec.spec_lang.report.diagnostics import Diagnostic, Fix, near, one_of
from nnspec.spec_lang.source import Span
from nnspec.spec_lang.vocabulary.losses import BinaryCrossEntropy, CrossEntropy, Loss, Mse
from nnspec.spec_lang.vocabulary.metrics import Accuracy, Metric, Rmse
from nnspec.spec_lang.vocabulary.registry import words
from nnspec.spec_lang.vocabulary.shape import Shape

VALIDATION = "validation_"
"""The prefix of what is measured on the validation split."""

TRAINING = "training_"
"""The prefix of what is measured on the training split, where the spec has `metrics … training=yes`."""

_OTHER_PREFIXES = ("val_", "valid_", "dev_", "test_", "eval_", "val-", "val.")
"""Other tools' prefixes of the validation split."""

_TRAINING_PREFIXES = (TRAINING, "train_", "train-", "train.")


@dataclass(frozen=True)
class Targets:
    """The targets of the data.

    Arguments:
        name: what the data are called.
        shape: the shape of one sample's target, () for a single number.
        whole: whether all of them are whole numbers.
        least: the smallest number among them.
        most: the largest.
        validation: whether there is a validation split.
        test: whether there is a test split.
        one_hot: what to give instead of a column for each class.
        sum_to_one: whether the numbers of each target sum to 1, as probabilities do.
    """

    name: str
    shape: tuple[int, ...]
    whole: bool
    least: float
    most: float
    validation: bool
    one_hot: str
    test: bool = False
    sum_to_one: bool = False


def loss_for(last: str) -> Loss:
    """Return the default loss for the last activation."""
    return next((cls() for cls in (CrossEntropy, BinaryCrossEntropy) if cls.head == last), Mse())


def metrics_for(loss: Loss) -> tuple[Metric, ...]:
    """Return the default metrics: accuracy of classes and labels, rmse of numbers."""
    return (Accuracy(),) if loss.classifies else (Rmse(),)


def misfits(spec: Spec, end: Span, targets: Targets | None = None) -> Iterator[Diagnostic]:
    """Yield the first error of what the end of a network, the loss, the metrics, the monitor and the targets need.

    `end` is the place of the last layer, and `targets` are those of the data, None where they are not read.
    """
    for rule in (_head, _answers, _targets, _moved, _metrics, _monitor, _expectations):
        found = rule(spec, end, targets)
        if found is not None:
            yield found
            return


def _head(spec: Spec, end: Span, targets: Targets | None) -> Diagnostic | None:
    """Return the error of a loss that does not accept the last activation."""
    last, loss, place = spec.outline[-1][1].ends_in, spec.loss, spec.places.get("loss", end)
    if loss.head is not None and last != loss.head:
        message = f"{loss.word} needs a network that ends in {loss.head}, this one ends in {last}"
        other = words("loss").get(loss.counterpart or "")
        fitting = other if other is not None and getattr(other, "head", None) == last else loss_for(last)
        help = f"end the last layer in {loss.head}, or write loss {fitting.word}"
        return Diagnostic("E303", message, place, help=help)
    if loss.scores and (found := _scores(spec, end, last)) is not None:
        return found
    alone = getattr(spec.data, "target", None)
    if loss.numbers and last == CrossEntropy.head and isinstance(alone, tuple) and len(alone) == 1:
        message = f"softmax makes probabilities of classes, and the loss {loss.word} compares the numbers of {alone[0]}"
        help = f"write loss {CrossEntropy.word} for classes, or end the last layer without softmax for numbers"
        return Diagnostic("E303", message, place, help=help)
    return None


def _answers(spec: Spec, end: Span, targets: Targets | None) -> Diagnostic | None:
    """Return the error of outputs that are not as many for each number of the targets as the loss has answers."""
    output, answers = spec.output_shape, spec.loss.answers
    if output is None or (output[-1] if output else 1) % answers == 0:
        return None
    count = len(spec.data.predicted_columns) if spec.data is not None else 1
    there = f"{output[-1]} outputs" if output and output[-1] > 1 else "one output"
    message = f"{spec.loss.word} has {answers} answers for each number to predict, and the network ends in {there}"
    return Diagnostic("E303", message, end, help=f"write dense {max(count, 1) * answers} as the last layer")


def _scores(spec: Spec, end: Span, last: str) -> Diagnostic | None:
    """Return the error of a loss of scores where the outputs are probabilities, or a single one is to be classes."""
    loss, output = spec.loss, spec.output_shape
    if loss_for(last).head is not None:
        message = f"{loss.word} compares scores of any size, and this network ends in {last}, in probabilities"
        help = f"end the last layer without {last}, or write loss {loss_for(last).word}"
    elif loss.classes and output is not None and output[-1:] == (1,):
        message = f"{loss.word} needs a score for each class, and the network ends in one output"
        help = f"write loss {loss.counterpart} for two classes, or an output for each class"
    else:
        return None
    return Diagnostic("E303", message, spec.places.get("loss", end), help=help)


def _every_metric() -> list[type[Metric]]:
    return [cls for cls in words("metric").values() if issubclass(cls, Metric)]


def _metrics(spec: Spec, end: Span, targets: Targets | None) -> Diagnostic | None:
    """Return the error of a metric that cannot measure what the loss compares."""
    output, loss = spec.output_shape, spec.loss
    several = bool(loss.labels and output and output[-1] > 1 and targets is not None and targets.shape == output)
    for metric in spec.metrics:
        if metric.two_classes and output is not None and output[-1] > 2 - several:
            there = f"{output[-1]} labels" if several else f"{output[-1]} classes"
            message = f"{metric.word} average=binary measures the second of two classes, and there are {there}"
            at = spec.places.get("metrics", end)
            return Diagnostic("E303", message, at, help="write average=macro for the mean over all of them")
        probable = not (metric.probabilities and loss.scores)
        told_apart = loss.classes or (loss.labels and (not several or metric.labels))
        if metric.task != "classification" or (told_apart and probable):
            continue
        expected = spec.places.get(f"expect {metric.word}")
        place = expected or spec.places.get("metrics", end)
        if told_apart:
            message = f"{metric.word} measures probabilities, and the outputs of {loss.word} are scores"
            fitting = [Accuracy.word]
        elif several:
            message = f"{metric.word} measures one class for each sample, and the network has {output[-1]} labels"  # type: ignore[index]
            fitting = [other.word for other in _every_metric() if other.labels]
        else:
            message = f"{metric.word} measures classes, and the loss {loss.word} compares {loss.compares}"
            fitting = [other.word for other in _every_metric() if other.task == "regression"]
        help = f"write metrics {one_of(fitting)}" if expected is None else f"expect {one_of(fitting)}"
        return Diagnostic("E303", message, place, help=help)
    return None


def measured(spec: Spec, validation: bool = True) -> list[str]:
    """Return the names that early_stop can watch."""
    words = [metric.word for metric in spec.metrics]
    known = ["loss"]
    if validation:
        known += [f"{VALIDATION}loss", *words, *(f"{VALIDATION}{word}" for word in words)]
    if spec.training_metrics:
        known += [f"{TRAINING}{word}" for word in ("loss", *words)]
    return known


def _monitor(spec: Spec, end: Span, targets: Targets | None) -> Diagnostic | None:
    """Return the error of an early_stop that watches what the run does not measure."""
    if spec.early_stop is None:
        return None
    name, known = spec.early_stop.monitor, measured(spec, targets is None or targets.validation)
    if name in known:
        return None
    meant = _respelt(name)
    place = spec.places.get("early_stop.monitor", spec.places.get("early_stop", end))
    message = f"early_stop watches {name}, which this run does not measure"
    if targets is not None and not targets.validation and meant in measured(spec) and meant not in known:
        message = f"early_stop watches {name}, and {targets.name} has no validation split"
        return Diagnostic("E303", message, place, help="write monitor=loss, or a split such as 90/10 in the data line")
    bare = meant.removeprefix(VALIDATION).removeprefix(TRAINING)
    close = meant if meant in known else near(name, known)
    if meant not in known and (bare in words("metric") or meant == f"{TRAINING}loss"):
        named = [metric.word for metric in spec.metrics]
        listed = ", ".join(dict.fromkeys([*named, bare] if bare in words("metric") else named))
        training = " training=yes" if spec.training_metrics or meant.startswith(TRAINING) else ""
        help = f"write metrics {listed}{training} to measure it, or monitor={known[-1]}"
        return Diagnostic("E303", message, place, help=help)
    fix = Fix(place, close) if close and place == spec.places.get("early_stop.monitor") else None
    help = f"did you mean {close}?" if close else f"write monitor= with one of {', '.join(known)}"
    return Diagnostic("E303", message, place, help=help, fix=fix)


def _expectations(spec: Spec, end: Span, targets: Targets | None) -> Diagnostic | None:
    """Return the error of an expectation of what the run does not measure."""
    both = targets is None
    splits = (both or targets.validation, both or targets.test)  # type: ignore[union-attr]
    return next(unmeasured(spec, *splits, targets.name if targets is not None else "the data"), None)


def _respelt(name: str) -> str:
    """Return the name of what is watched with another tool's prefix of its split replaced by the language's."""
    for own, others in ((VALIDATION, _OTHER_PREFIXES), (TRAINING, _TRAINING_PREFIXES)):
        for prefix in others:
            if name.startswith(prefix):
                return f"{own}{name.removeprefix(prefix)}"
    return name


def _targets(spec: Spec, end: Span, targets: Targets | None) -> Diagnostic | None:
    """Return the error of targets that have another shape than the outputs, or are of another kind."""
    output, loss = spec.output_shape, spec.loss
    if targets is None or output is None:
        return None
    if loss.classes and not targets.whole:
        message = f"{loss.word} compares classes, and the targets of {targets.name} are not whole numbers"
        written = f"write loss {Mse.word}, and end the last layer without softmax"
        return Diagnostic("E303", message, spec.places.get("loss", end), help=written)
    if loss.classes and output and targets.shape == output[:-1] and targets.most >= output[-1]:
        message = f"the network ends in {output[-1]} outputs, and the classes of {targets.name} go to {targets.most:g}"
        layer = last_layer(output, f"{targets.most + 1:g}")
        return Diagnostic("E303", message, end, help=f"write {layer} softmax as the last layer")
    if loss.labels and (found := _labels(spec, end, targets)) is not None:
        return found
    if loss.distributions and (targets.least < 0 or not targets.sum_to_one):
        what = "do not sum to 1" if targets.least >= 0 else f"go from {targets.least:g}"
        message = f"{loss.word} compares distributions, and the targets of {targets.name} {what}"
        written = f"write loss {Mse.word} for numbers, or loss {CrossEntropy.word} for classes"
        return Diagnostic("E303", message, spec.places.get("loss", end), help=written)
    wanted = loss.target_shape(output)
    if targets.shape == wanted or (not loss.classes and (*targets.shape, 1) == wanted):
        return None
    if loss.labels and targets.whole and targets.shape == output[:-1]:
        return None  # a class, of whose label alone the target is 1
    if not loss.classes and not output.sequence and len(output) == 1 and len(targets.shape) <= 1:
        return _numbers(spec, end, targets, targets.shape[0] if targets.shape else 1)
    if (found := _images(spec, end, targets)) is not None:
        return found
    help: str | None = None
    if output.sequence and len(targets.shape) <= 1 and targets.shape[:1] != output[:1]:
        message = f"the network has an output at every step, and {targets.name} has one target for each sample"
        help = "write return=last in the last recurrent layer, or globalavgpool after it"
    elif loss.classes and targets.shape == tuple(output):
        message, help = f"{targets.name} has a column of targets for each class", targets.one_hot
    elif not output.sequence and len(targets.shape) >= 1:
        message = f"the network has one output for each sample, and {targets.name} has a target for each step"
        help = "write return=sequence in each recurrent layer"
        if not any(node.layer.recurrent for node in spec.nodes) and spec.input is not None and len(spec.input) == 2:
            help = f"write input {Shape(spec.input)} sequence, so that a dense layer applies at each step"
    elif output.sequence and len(targets.shape) == 2:
        return _numbers(spec, end, targets, targets.shape[1])
    else:
        shape = Shape(targets.shape)
        message = f"the network ends in {output}, and {targets.name} has targets of {shape} for each sample"
    return Diagnostic("E303", message, end, help=help)


def _moved(spec: Spec, end: Span, targets: Targets | None) -> Diagnostic | None:
    """Return the error of images that are moved and targets that cannot be moved with them, of another size."""
    if targets is None or spec.augment is None or len(targets.shape) < 2 or spec.input is None:
        return None
    from nnspec.spec_lang.vocabulary.augment import Geometric

    moves = [change.word for change in spec.augment.changes if isinstance(change, Geometric) and change.amount]
    if not moves or targets.shape[:2] == tuple(spec.input[:2]):
        return None
    size = f"{targets.shape[0]}x{targets.shape[1]}"
    message = f"{moves[0]} moves images and their targets alike, and the targets are {size}, the images {spec.input}"
    place = spec.places.get("augment", end)
    return Diagnostic("E305", message, place, help="leave it out, or give targets of the images' size")


def last_layer(output: Shape | None, count: int | str) -> str:
    """Return the last layer of this many outputs: of each pixel for a network that ends in an image, else `dense`."""
    return f"conv 1x1 x{count}" if output is not None and len(output) == 3 else f"dense {count}"


def _images(spec: Spec, end: Span, targets: Targets) -> Diagnostic | None:
    """Return the error of outputs and targets of which one is an image, and the other none, or one of another size."""
    output, shape = spec.output_shape, targets.shape
    assert output is not None
    ends_in_image, image = len(output) == 3 and not output.sequence, len(shape) in (2, 3)
    outputs = f"images of {output[0]}x{output[1]}" if ends_in_image else ""
    if ends_in_image and not image:
        message = f"the network ends in {outputs}, and {targets.name} has one target for each sample"
        help = f"write globalavgpool -> dense {output[-1]} as its end, or give an image of targets for each sample"
    elif ends_in_image and shape[:2] != output[:2]:
        message = f"the network ends in {outputs}, and the targets of {targets.name} are {shape[0]}x{shape[1]}"
        help = "write pad=same in each convolution, and upsample 2 or transposed for each pool"
    elif ends_in_image and not spec.loss.classes:
        count = shape[2] if len(shape) == 3 else 1
        message = f"the network ends in {output[2]} channels, and the targets of {targets.name} have {count}"
        help = f"write conv 1x1 x{count} as the last layer"
    elif len(output) < 2 and image and spec.input is not None and len(spec.input) == 3:
        message = f"the network has one output for each sample, and {targets.name} has an image of targets for each"
        channels = f"{targets.most + 1:g}" if spec.loss.classes else str(shape[2] if len(shape) == 3 else 1)
        help = f"end the network in conv 1x1 x{channels}, without flatten, dense or a global pool before it"
    else:
        return None
    return Diagnostic("E303", message, end, help=help)


def _labels(spec: Spec, end: Span, targets: Targets) -> Diagnostic | None:
    """Return the error of targets that are neither labels of 0 and 1 nor one of the classes of the outputs."""
    output = spec.output_shape
    one_class = output is not None and output[-1:] != (1,) and targets.shape == output[:-1]
    most = output[-1] - 1 if one_class and output else 1
    if targets.least >= 0 and targets.most <= most:
        return None
    what = f"classes from 0 to {most}" if one_class else "labels of 0 and 1"
    reach = f"from {targets.least:g} to {targets.most:g}"
    message = f"{spec.loss.word} compares {what}, and the targets of {targets.name} go {reach}"
    several = targets.whole and targets.least >= 0
    help = f"write loss {Mse.word}, and end the last layer without sigmoid"
    if several and len(targets.shape) > 1 and targets.most == 255:
        help = "give y > 127 where the targets are pictures in black and white"
    elif several:
        help = f"write {last_layer(output, f'{targets.most + 1:g}')} softmax as the last layer"
    return Diagnostic("E303", message, end, help=help)


def _numbers(spec: Spec, end: Span, targets: Targets, count: int) -> Diagnostic:
    """Return the error of outputs that are not as many as the numbers of a target."""
    output = spec.output_shape
    numbers = "one number" if count == 1 else f"{count} numbers"
    outputs = "one output" if output is not None and output[-1:] == (1,) else f"{output[-1] if output else 1} outputs"
    message = f"the network ends in {outputs}, and {targets.name} has {numbers} for each sample"
    if spec.loss.answers > 1:
        message += f", with {spec.loss.answers} answers for each"
    help = f"write dense {count * spec.loss.answers} as the last layer"
    if count == spec.loss.answers == 1 and targets.whole and spec.loss.numbers:
        help += f", or where the numbers are classes end it in softmax with loss {CrossEntropy.word}"
    return Diagnostic("E303", message, end, help=help)


def doubts(spec: Spec, end: Span) -> Iterator[Diagnostic]:
    """Yield the warnings of a softmax that cannot do what it is for."""
    last, output = spec.outline[-1][1].ends_in, spec.output_shape
    soft = [node for node in spec.nodes if node.layer.ends_in == CrossEntropy.head]
    for node in soft:
        if node.output_shape[-1:] == (1,):
            message = f"the softmax of {node.name} has one output, which is always 1"
            help = "write sigmoid for yes or no, or an output for each class"
            yield Diagnostic("W302", message, node.span, help=help, severity="warning")
        elif any(other.name in node.inputs for other in soft) and not node.parameters():
            message = f"{node.name} is a softmax of a softmax, which flattens the probabilities"
            yield Diagnostic("W302", message, node.span, help="leave one of them out", severity="warning")
    if spec.loss.numbers and last == CrossEntropy.head and output and output[-1] > 1 and spec.data is None:
        message = f"softmax makes probabilities of classes, and the loss {spec.loss.word} compares numbers"
        help = f"write loss {CrossEntropy.word} where the targets are classes"
        yield Diagnostic("W302", message, spec.places.get("loss", end), help=help, severity="warning")
