"""Settings: every variable that imageapi reads, validated, with where its value came from.

Owns the names, meanings, defaults and allowed values of the configuration (`catalogue`), the reading of a `.env`
file (`dotenv`) and the result (`loading`). Only `app.py`, the command line, tests and the modules `build_…` of the
adapters read it: all else is given plain values. Loading touches nothing on disk but the `.env` file and the paths that
variables name.
"""

from __future__ import annotations

from adapters.settings.loading import SettingProblem, SettingRow, Settings, SettingsError
from adapters.settings.values import Address, FaceEngineChoice, GeocoderChoice, LogLevel, WatchMode

__all__ = [
    "Address",
    "FaceEngineChoice",
    "GeocoderChoice",
    "LogLevel",
    "SettingProblem",
    "SettingRow",
    "Settings",
    "SettingsError",
    "WatchMode",
]
