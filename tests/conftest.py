"""What holds for every test."""

from hypothesis import HealthCheck, settings

# No test fails because the machine was busy for a moment: neither a single example nor its drawing has a time limit.
settings.register_profile("no clock", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("no clock")
