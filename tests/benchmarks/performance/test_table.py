from __future__ import annotations

from benchmarks.performance.table import COLUMNS, Measurement, markdown


def test_every_row_has_every_column() -> None:
    rows = [
        Measurement("ours", cores=2, load="batch 10", audio_s_per_s=500, matmul_share=0.4123),
        Measurement("POST /embed", p50_s=0.0123, p99_s=0.5, note="9 requests/s"),
    ]
    lines = markdown(rows).splitlines()
    assert [line.count("|") for line in lines] == [len(COLUMNS) + 1] * 4
    assert lines[2] == "| ours | 2 | batch 10 | 500 | 0.00200 | 41 % | – | – | – |"
    assert lines[3] == "| POST /embed | – | – | – | – | – | 12.3 | 500.0 | 9 requests/s |"
