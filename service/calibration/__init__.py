"""How a threshold does on a user's own recordings: trials, the two error curves, and their picture."""

from service.calibration.curves import ErrorCurves
from service.calibration.trials import Trials, run_trials

__all__ = ["ErrorCurves", "Trials", "run_trials"]
