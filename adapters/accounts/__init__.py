"""Proof of identity: passwords, sign-in tokens, one-time links, and the limit on trying.

Owns the primitives and the two small files in the data folder that they need (the signing key and the open links);
who exists and what they may do is recorded in the log (`domain/events/account.py`). Everything here blocks and is
called from threads. The files are guarded by `flock`, so the processes that share a data folder run on a POSIX system.
"""
