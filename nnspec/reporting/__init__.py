"""Reports: a run or a sweep as one HTML page that needs nothing else, or as Markdown for a pull request.

`run.py` gathers what a run holds, the files of `sections/` make blocks from it, `page.py` renders them by the template,
`sweep.py` gathers and makes blocks for a sweep. Jinja2 is imported by page.py alone.
"""
