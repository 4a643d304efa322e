"""The paper's figures: (mean, deviation), None where it has none."""

from __future__ import annotations

Cell = tuple[float, float | None] | None

# Tables I and II: IS and FID.
TABLE_1: dict[str, tuple[Cell, Cell]] = {
    "Real (train)": ((9.18, 0.04), None),
    "Real (test)": ((8.01, 0.24), None),
    "TiFGAN": ((5.97, None), (26.7, None)),
    "WaveGAN": ((4.67, 0.01), None),
    "SpecGAN": ((6.03, 0.04), None),
    "Supervised BigGAN": ((7.33, 0.01), (24.40, 0.50)),
    "Unsupervised BigGAN": ((6.17, 0.20), (24.72, 0.05)),
    "GGAN": ((7.24, 0.05), (25.75, 0.10)),
    "GAAE": ((7.28, 0.01), (22.60, 0.07)),
}
TABLE_2: dict[str, tuple[Cell, Cell]] = {
    "Real (train)": ((2.83, 0.02), None),
    "Real (test)": ((2.81, 0.12), None),
    "Supervised BigGAN": ((2.64, 0.08), (148.30, 0.23)),
    "Unsupervised BigGAN": ((2.21, 0.11), (172.01, 0.15)),
    "GGAN": ((2.52, 0.06), (149.23, 0.09)),
    "GAAE": ((2.58, 0.03), (141.71, 0.32)),
}
# Table III: IS and FID by task and percent of the labels.
TABLE_3: dict[str, dict[float, tuple[Cell, Cell]]] = {
    "digits": {
        1: ((6.94, 0.04), (24.21, 0.16)),
        2: ((7.06, 0.03), (23.89, 0.11)),
        3: ((7.12, 0.04), (23.15, 0.10)),
        4: ((7.19, 0.02), (22.91, 0.08)),
        5: ((7.28, 0.01), (22.60, 0.07)),
        100: ((7.45, 0.03), (19.31, 0.01)),
    },
    "instruments": {
        1: ((2.48, 0.08), (145.89, 1.32)),
        2: ((2.53, 0.07), (144.21, 0.65)),
        3: ((2.56, 0.05), (143.01, 0.43)),
        4: ((2.57, 0.04), (142.46, 0.38)),
        5: ((2.58, 0.03), (141.71, 0.32)),
        100: ((2.67, 0.02), (137.65, 0.02)),
    },
}
# Tables IV and V: test accuracy in percent by what was learnt from.
TABLE_4: dict[str, Cell] = {
    "Train data": (95.52, 0.50),
    "Supervised BigGAN": (86.58, 0.56),
    "GGAN": (86.72, 0.47),
    "GAAE": (91.14, 0.17),
    "GAAE + train data": (97.33, 0.19),
}
TABLE_5: dict[str, Cell] = {
    "Train data": (92.01, 0.94),
    "Supervised BigGAN": (83.50, 0.62),
    "GGAN": (81.40, 0.48),
    "GAAE": (86.80, 0.23),
    "GAAE + train data": (94.56, 0.09),
}
# Table VI: IS and FID by a classifier of gender.
TABLE_6: dict[str, tuple[Cell, Cell]] = {
    "Real (train)": ((1.92, 0.04), None),
    "Real (test)": ((1.91, 0.05), None),
    "Unsupervised BigGAN": ((1.13, 0.89), (56.01, 0.85)),
    "Supervised BigGAN": ((1.48, 0.56), (35.22, 0.50)),
    "GGAN, guided by digits": ((1.58, 0.05), (37.75, 0.10)),
    "GAAE, guided by digits": ((1.61, 0.17), (29.84, 0.43)),
    "GAAE, guided by gender": ((1.78, 0.03), (20.21, 0.01)),
}
# Tables VII and VIII: test accuracy by percent of the labels.
CLASSIFIERS = ("CNN", "BiGAN", "GGAN", "GAAE")
TABLE_7: dict[float, tuple[Cell, ...]] = {
    1: ((82.21, 1.2), (73.01, 1.02), (84.21, 2.24), (90.21, 0.16)),
    2: ((83.04, 0.34), (75.56, 0.41), (85.39, 1.24), (91.45, 0.12)),
    3: ((83.78, 0.23), (78.33, 0.07), (88.25, 0.10), (92.67, 0.06)),
    4: ((84.11, 0.34), (80.03, 0.01), (91.02, 0.50), (93.70, 0.05)),
    5: ((84.50, 1.02), (80.84, 1.72), (92.00, 0.87), (94.59, 0.03)),
    100: ((95.52, 0.50), (86.77, 2.61), (96.51, 0.07), (97.68, 0.01)),
}
TABLE_8: dict[float, tuple[Cell, ...]] = {
    1: ((85.76, 1.10), (82.21, 0.84), (88.52, 0.32), (90.26, 0.09)),
    2: ((89.79, 0.51), (86.65, 0.57), (91.69, 0.24), (92.96, 0.07)),
    3: ((89.83, 0.49), (87.21, 0.46), (91.95, 0.20), (93.12, 0.05)),
    4: ((90.52, 0.25), (87.59, 0.41), (92.16, 0.19), (93.73, 0.02)),
    5: ((91.07, 0.31), (87.95, 0.39), (92.45, 0.14), (94.23, 0.02)),
    100: ((92.01, 0.94), (88.09, 0.24), (93.56, 0.09), (94.89, 0.01)),
}


def cell(value: Cell, digits: int = 2) -> str:
    """`7.28 ± 0.01`."""
    if value is None:
        return "–"
    mean, std = value
    return f"{mean:.{digits}f}" + ("" if std is None else f" ± {std:.{digits}f}")
