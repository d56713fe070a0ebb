"""nnspec plot: pictures of runs and networks. Each picture has its own file, found by its name."""

from nnspec.cli.command import Family, Section

command = Family(
    "plot",
    package="nnspec.cli.verbs.plot",
    section=Section.PICTURES,
    short_help="Draw curves, weights, confusion, predictions, augmentation or the network.",
    help="""Draw a picture of a run or a checkpoint.

    The picture is written to pictures/NAME.png in the run's folder, or to --out: PNG, SVG or PDF by the suffix. Its
    path is printed.""",
    examples=(
        "nnspec plot curves runs/quickstart",
        "nnspec plot graph specs/mnist_resnet.nnspec",
        "nnspec plot weights runs/quickstart/best.h5 --out filters.svg",
        "nnspec plot confusion runs/quickstart",
    ),
)
