from __future__ import annotations

from trainer.autodecompose.settings import TrainSettings
from trainer.training.loop import learning_rate


def test_the_rate_goes_up_once_and_down_to_almost_nothing() -> None:
    settings = TrainSettings()
    rates = [learning_rate(settings, step, 100) for step in range(101)]
    peak = max(range(101), key=rates.__getitem__)
    assert peak == 20
    assert rates[peak] == settings.peak_rate
    assert rates[:21] == sorted(rates[:21])
    assert rates[20:] == sorted(rates[20:], reverse=True)
    assert rates[-1] < settings.peak_rate / 1000
