"""nnspec plot: pictures of runs and networks. One file a picture, found by its name."""

from nnspec.cli._command import Family, Section

command = Family(
    "plot",
    package="nnspec.cli.plot",
    section=Section.PICTURES,
    short_help="Draw networks, curves, weights, confusion of classes.",
    help="""Draw a picture of a run or a checkpoint.

    It goes into the run's folder, as pictures/NAME.png, or to --out: a PNG, SVG or PDF by its suffix. The path of each
    picture is printed.""",
    examples=(
        "nnspec plot curves runs/quickstart",
        "nnspec plot graph specs/mnist_resnet.nnspec",
        "nnspec plot weights runs/quickstart/best.h5 --out filters.svg",
        "nnspec plot confusion runs/quickstart",
    ),
)
