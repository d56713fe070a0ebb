"""nnspec data: the data sets that nnspec knows by name, and files of data."""

from nnspec.cli.command import Family, Section

command = Family(
    "data",
    package="nnspec.cli.verbs.data",
    section=Section.TRAINING,
    short_help="Describe a file of data; list or fetch data sets known by name.",
    help="""Describe a file of data; list or fetch the data sets known by name.

    nnspec searches NNSPEC_DATA, then the cache (NNSPEC_HOME, else the platform's cache folder), and downloads a data
    set that is in neither. NNSPEC_OFFLINE=1 forbids downloads.""",
    examples=("nnspec data describe iris.csv", "nnspec data list", "nnspec data fetch mnist"),
)
