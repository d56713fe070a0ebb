"""The sections of a run's report: functions from a ReportedRun to a Section, None where there is nothing to show.

report.py orders them.
"""
