"""What a reader has to know beside each table."""

MEASURES = """Every pair of utterances counts.

- *EER*: the error rate where misses and false accepts are equal.
- *minDCF*: detection cost at a target prior of 0.01 and the best threshold.
- *actual DCF*: the same cost at the threshold that follows from the calibrated score. What it has above
  minDCF is the calibration's fault. At 1 it is no better than to say no always.
- *Cllr*: what the probabilities are worth, in bits. 0 is perfect; from 1 on they say nothing.
- *False accepts at 1 %*: pairs of two voices that pass the threshold made for 1 %.
- *misses there*: pairs of one voice that do not pass it."""

FAIRNESS = """Resemblyzer gets the same crops of 1.024 s. The function that fits a bundle's scoring fits its
mean, calibration and thresholds too. It is fitted on the same train split: librispeech, and every fourth
recording of speechocean762 and of crowd. crowd has no labels, and counts for the mean only. Ours had all of
these. Ours was not trained on any test speaker. All pairs of one voice behind both
calibrations are from speechocean762: librispeech's train speakers have one recording each."""

CONDITIONS = """Of librispeech every clip is taken, of speechocean762 every fourth.

- *Speech only*: the service's own detector cuts out the silence. The thresholds were fitted on clips with it.
- *n s of speech*: the same, cut to n seconds, at most four utterances a speaker. A clip with less speech is
  joined with the speaker's next ones.
- *Noise*: the test split of `noise` without its silent stretches, over the whole recording.
- *8 kHz*: resampled down and up.
- *Another channel each*: every recording has a random equaliser of ±6 dB, a room response, and noise at
  15 dB."""

BY_SECONDS = """Ours, as the service decides. Each voice is enrolled with its first clips, until these hold
10 s. The other clips are cut and joined to probes. Silence is taken out of all. A cell has two figures. The
first is at the threshold and calibration of whole clips. The second is at those for so many seconds, which
the bundle has as `by_seconds` and the service uses. A dash: the bundle has none."""

STRANGE = """Neither scoring was fitted on these. english_digits has one word a clip at 8 kHz. The Arabic
words last a second. nemo is acted Polish emotions. The service decides on no less than a second of speech.
It would refuse the clips of english_digits, and takes them joined."""

STRANGERS = """Half of the speakers are enrolled with their first clips, until these hold 10 s. All other
clips are probes. 20 draws of the half are pooled. *Named rightly at 1 %*: at the threshold where 1 % of the
strangers' clips get a name. *By the service*: at the threshold for 1 % and so many voices, that of whole
clips. The service itself also moves it with the seconds of speech."""

NARROW = """If all recordings at 8 kHz move the same way, any two of them look alike. Here ours are centred
once more, with the mean of train recordings at 8 kHz. Calibration and thresholds stay. The service does not
do this."""

NORMALISATION = """Adaptive score normalisation (AS-norm), ours only. Every score is standardised by the best
scores of each side against a cohort. Half of speechocean762's train speakers, every fourth recording, are
set aside and measured. The other half fits the calibration on whole clips. It is also in the cohort, with
librispeech's train speakers. Figures are means over 5 draws of the halves. The model was trained on all of
these speakers, without labels. Noise is of the train split. The bundle ships without normalisation."""

LENGTHS = """Ours, on every second of speechocean762's train speakers. Half fits and half is measured. Pairs
are of equal length, and figures are means over 5 draws. *Own*: slope and intercept that fit this length
alone. *Whole clips*: fitted as a bundle's calibration is. *All lengths*: one slope and intercept over all
four. *Length known*: slope and intercept are linear in the logarithm of the seconds. False accepts are at the
bundle's own threshold for 1 %, over all these speakers."""
