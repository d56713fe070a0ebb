"""nnspec data: the data sets that nnspec knows by name."""

from nnspec.cli._command import Family, Section

command = Family(
    "data",
    package="nnspec.cli.data",
    section=Section.TRAINING,
    short_help="List or fetch the data sets known by name.",
    help="""List or fetch the data sets known by name.

    A data set is searched in NNSPEC_DATA, then in the cache (NNSPEC_HOME, else the platform's cache folder), and
    downloaded if it is in neither. NNSPEC_OFFLINE=1 forbids downloads.""",
    examples=("nnspec data list", "nnspec data fetch mnist"),
)
