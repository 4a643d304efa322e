"""Who speaks now, in sound that still goes on.

`speech` cuts a stream into steps of half a second and their speech into windows. `tracker` follows who speaks
from window to window. `listening` is one stream with both, `enrolment` one in which somebody is enrolled.
`desk` bounds how many there are.
"""

from service.listening.desk import ListeningDesk
from service.listening.enrolment import ADVICE, FeedbackKind, LiveEnrolment, Progress
from service.listening.listening import Listening, Moment
from service.listening.speech import STEP_S, STEP_SAMPLES, SpeechSteps, Step
from service.listening.tracker import SpeakerTracker, Speaking

__all__ = [
    "ADVICE",
    "STEP_S",
    "STEP_SAMPLES",
    "FeedbackKind",
    "Listening",
    "ListeningDesk",
    "LiveEnrolment",
    "Moment",
    "Progress",
    "SpeakerTracker",
    "Speaking",
    "SpeechSteps",
    "Step",
]
