"""A slice of the fuzzing in every run; `make fuzz` does the 200,000."""

from fuzz import Fuzz


def test_mutated_frames():
    fuzz = Fuzz(seed=20261121)
    fuzz.run(8000)
    for layer in ("raw", "CRC", "digest"):
        assert fuzz.reached[layer]["for us"] > 50, fuzz.report()
    assert fuzz.reached["digest"]["served"] > 300, fuzz.report()
