"""What must be quick, measured against what it replaces: ``python -m tests.benchmarks [--short] [--only NAME]``.

One module a family of figures; a new one registers its figures with ``@figure`` and is imported in ``__main__``. A
figure compares NEXA with a reference in the same run and asserts their ratio: no absolute time is ever asserted.
"""
