"""nnspec data: the data sets that nnspec knows by name."""

from nnspec.cli._command import Family, Section

command = Family(
    "data",
    package="nnspec.cli.data",
    section=Section.TRAINING,
    short_help="List or fetch the data sets known by name.",
    help="""List or fetch the data sets known by name.

    A set is looked for in NNSPEC_DATA, then in the cache (NNSPEC_HOME, else the platform's folder for caches), then
    downloaded. NNSPEC_OFFLINE=1 never asks the network.""",
    examples=("nnspec data list", "nnspec data fetch mnist"),
)
