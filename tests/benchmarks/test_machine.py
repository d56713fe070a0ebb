import os

from benchmarks.machine import Watch, cores, machine


def test_the_machine_says_what_a_reader_of_figures_asks() -> None:
    found = machine()
    assert found["cores"] == cores() >= 1
    assert found["processor"] and found["python"] and found["system"]


def test_what_this_process_does_is_not_counted_as_others_use() -> None:
    here = Watch.start()
    count = os.cpu_count() or 1
    busy = Watch(here.began - 10, here.machine_seconds - 5 * count, here.own_seconds - 5 * count)
    idle = Watch(here.began - 10, here.machine_seconds - 5 * count, here.own_seconds)
    assert busy.others() < idle.others()
    assert 0.3 < idle.others() < 0.9
