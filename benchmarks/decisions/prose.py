"""What a reader has to know beside each table."""

MEASURES = """*EER*: the error rate where misses and false accepts are equal. *minDCF*: detection cost at a
target prior of 0.01 and the best threshold; *actual DCF*: the same at the threshold that follows from the
calibrated score, so what it has above minDCF is the calibration's fault; 1 is no better than always saying
no. *Cllr*: what the probabilities are worth, in bits: 0 is perfect, from 1 on they say nothing. *False
accepts at 1 %*: pairs of two voices that pass the threshold made for 1 %; *misses there*: pairs of one
voice that do not. Every pair of utterances counts."""

FAIRNESS = """Resemblyzer hears the same 1.024 s crops and has mean, calibration and thresholds fitted by
the same function as ours, on the same train split: librispeech, and every fourth recording of
speechocean762 and (without labels, for the mean) crowd, of which ours had all. No test speaker was heard in
training by ours. Every pair of one voice behind both calibrations is speechocean762's: librispeech's train
speakers have one recording each."""

CONDITIONS = """librispeech every clip, speechocean762 every fourth. *Speech only*: silence cut out by the
service's own detector; thresholds were fitted on clips with their silences. *n s of speech*: the same,
joined and cut to n seconds, at most four utterances a speaker; a clip with less speech is joined with the
speaker's next ones. *Noise*: test split of `noise`, silent stretches removed, over the whole recording. *8
kHz*: resampled down and up. *Another channel each*: every recording through its own random equaliser of ±6
dB, room response and noise at 15 dB."""

BY_SECONDS = """Ours, as the service decides: each voice enrolled with its first clips, until these hold
10 s, against probes cut and joined from the others; silence taken out of all. Cells read *without* / *with*
the bundle's `by_seconds`, which the service uses: threshold and calibration of whole clips, and those of so
many seconds. –: the bundle has none."""

STRANGE = """Neither scoring was fitted on these: one word a clip at 8 kHz (english_digits), Arabic words of
a second, acted Polish emotions. The service decides on no less than a second of speech: english_digits as
they are it would refuse, joined it takes them."""

STRANGERS = """Half of the speakers are enrolled with their first clips, until these hold 10 s; all other
clips ask who it is. 20 draws of the half, pooled. *Named rightly at 1 %*: at the threshold where 1 % of the
strangers' clips get a name. *By the service*: at the threshold for 1 % and so many voices, that of whole
clips; the service itself also moves it with the seconds it hears."""

NARROW = """If recordings at 8 kHz all move the same way, any two of them look alike. Below ours are centred
once more, with the mean of train recordings at 8 kHz; calibration and thresholds stay. The service does not
do this."""

NORMALISATION = """Adaptive score normalisation (AS-norm), ours only: every score is standardised by each
side's best scores against a cohort. Half of speechocean762's train speakers, every fourth recording, are
set aside and measured; the other half fits the calibration on whole clips and is in the cohort with
librispeech's train speakers; mean over 5 draws. It has heard all of them in training (without labels).
Noise of the train split. The bundle ships without it."""

LENGTHS = """Ours on every second of speechocean762's train speakers: half fits, half is measured, pairs of
equal length, mean over 5 draws. *Own*: slope and intercept that fit this length alone. *Whole clips*:
fitted as a bundle's calibration is. *All lengths*: one slope and intercept over all four. *Length known*:
slope and intercept linear in the logarithm of the seconds. False accepts are at the bundle's own 1 %
threshold, over all these speakers."""
