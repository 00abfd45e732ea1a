"""What a job says of itself when it is over."""

from __future__ import annotations

import contextlib

from adapters.background.jobs import JobBoard


def test_a_job_that_is_over_did_all_that_turned_out_to_be_there() -> None:
    board = JobBoard()
    job = board.begin("detect", "recognising faces")
    job.at(17, 20)
    job.end("found 3 faces on 17 photos")
    (over,) = board.progress()
    assert (over.state, over.done, over.total) == ("done", 17, 17)


def test_a_job_of_unknown_length_stays_so() -> None:
    board = JobBoard()
    with board.job("rebuild", "building the read tables anew"):
        pass
    assert board.progress()[0].total is None


def test_a_job_that_was_stopped_shows_how_far_it_came() -> None:
    board = JobBoard()
    with contextlib.suppress(OSError), board.job("scan", "indexing Family") as job:
        job.at(17, 20)
        raise OSError("the disk is gone")
    (over,) = board.progress()
    assert (over.state, over.done, over.total, over.note) == ("done", 17, 20, "stopped: the disk is gone")
