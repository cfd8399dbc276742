//! The supervisor of `up` and `lab`, and the judge.
