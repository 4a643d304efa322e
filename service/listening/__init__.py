"""Who speaks now, in sound that still goes on, and who spoke in sound that is too long to wait for.

`speech` cuts a stream into steps of half a second and their speech into windows, and `line` measures whether
it comes over a telephone. `tracker` follows who speaks
from window to window. `listening` is one stream with both, `enrolment` one in which somebody is enrolled.
`desk` bounds how many there are. `long` diarizes recordings that are longer than memory, in the same steps.
"""

from service.listening.desk import ListeningDesk, embed_patiently
from service.listening.enrolment import ADVICE, FeedbackKind, LiveEnrolment, Progress
from service.listening.listening import Listening, Moment
from service.listening.long import JobState, LongDiarization, LongDiarizations, Outcome
from service.listening.speech import STEP_S, STEP_SAMPLES, SpeechSteps, Step
from service.listening.tracker import SpeakerTracker, Speaking

__all__ = [
    "ADVICE",
    "STEP_S",
    "STEP_SAMPLES",
    "FeedbackKind",
    "JobState",
    "Listening",
    "ListeningDesk",
    "LiveEnrolment",
    "LongDiarization",
    "LongDiarizations",
    "Moment",
    "Outcome",
    "Progress",
    "SpeakerTracker",
    "Speaking",
    "SpeechSteps",
    "Step",
    "embed_patiently",
]
