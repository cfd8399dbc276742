//! The server's own counters, gauges, histograms and summaries. No clock.
