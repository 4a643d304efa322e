"""The paper's own figures, typed in from its Tables 2 and 3."""

from __future__ import annotations

TABLE2_COLUMNS = ("supervised", "LibriSpeech-100", "LibriSpeech-360", "VoxCeleb-1")

#: Classes of a task: its chance is one in so many.
CLASSES = {"speaker": 5, "gender": 2, "keyword": 2, "emotion": 2}

#: Top-1 accuracy in percent by task and share of the labels, in the order of the columns.
TABLE2: dict[str, dict[int, tuple[float, float, float, float]]] = {
    "speaker": {
        5: (34.21, 39.47, 28.95, 36.84),
        10: (54.67, 64.00, 54.67, 48.00),
        50: (75.20, 83.73, 77.60, 68.00),
        100: (84.53, 84.93, 81.20, 75.07),
    },
    "gender": {
        5: (66.67, 70.00, 63.33, 66.67),
        10: (75.00, 71.67, 75.00, 68.33),
        50: (79.67, 88.67, 87.00, 78.33),
        100: (62.67, 90.17, 88.67, 84.67),
    },
    "keyword": {
        5: (47.50, 52.50, 62.50, 45.00),
        10: (51.25, 52.50, 50.00, 50.00),
        50: (50.76, 55.33, 52.28, 47.72),
        100: (50.32, 75.03, 60.08, 53.99),
    },
    "emotion": {
        5: (48.57, 54.29, 51.43, 68.57),
        10: (61.43, 47.14, 44.29, 50.00),
        50: (46.57, 46.29, 50.86, 48.86),
        100: (83.00, 59.00, 51.00, 46.29),
    },
}

#: MIG, SAP, DCIMIG, JEMMIG, modularity: the means over 50 evaluations.
TABLE3: dict[str, tuple[float, float, float, float, float]] = {
    "BT-16": (0.004, 0.033, 0.013, 0.191, 0.659),
    "BT-32": (0.004, 0.010, 0.013, 0.212, 0.707),
    "BT-64": (0.008, 0.007, 0.012, 0.182, 0.652),
    "BT-128": (0.020, 0.019, 0.010, 0.231, 0.664),
    "BT-512": (0.003, 0.003, 0.010, 0.266, 0.675),
    "BT-1024": (0.007, 0.025, 0.016, 0.238, 0.681),
    "BT-2048": (0.005, 0.014, 0.012, 0.294, 0.691),
    "LibriSpeech-100": (0.007, 0.016, 0.013, 0.141, 0.685),
    "LibriSpeech-360": (0.006, 0.037, 0.015, 0.109, 0.696),
    "VoxCeleb-1": (0.007, 0.018, 0.008, 0.113, 0.619),
}

#: Medians of Figs 4 and 5 as the text of section 3.3 reads them; no table gives them.
MEDIANS: dict[str, str] = {
    "speaker": "original about 70, w/LN similar, w/BN/LN slightly lower, w/BN lower, supervised much lower",
    "gender": "original just above 70, w/LN and w/BN/LN higher, w/BN lower, supervised below 60",
    "emotion": "original slightly above 55, w/LN and w/BN/LN near 60, w/BN and supervised lower",
    "keyword": "original just above 50, w/LN about 65, w/BN, w/BN/LN and supervised about 50",
}
