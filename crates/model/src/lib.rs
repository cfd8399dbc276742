//! The words of the field: labels, matchers, samples, times, durations, the stale marker.
