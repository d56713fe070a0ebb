"""nnspec data: the data sets that nnspec knows by name."""

from nnspec.cli.command import Family, Section

command = Family(
    "data",
    package="nnspec.cli.verbs.data",
    section=Section.TRAINING,
    short_help="List or fetch the data sets known by name.",
    help="""List or fetch the data sets known by name.

    nnspec searches NNSPEC_DATA, then the cache (NNSPEC_HOME, else the platform's cache folder), and downloads a data
    set that is in neither. NNSPEC_OFFLINE=1 forbids downloads.""",
    examples=("nnspec data list", "nnspec data fetch mnist"),
)
