//! Scraping: pools, loops, the cache from line to ref, staleness, outcomes.
