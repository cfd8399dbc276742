//! What one query may use.

/// Limits of one query. Reaching one ends the query with an error that names it.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Samples held at one time, counted as Prometheus counts them (`--query.max-samples`): keeps one query from
    /// taking the memory of the server.
    pub samples_max: u64,
    /// Nesting of the expression: keeps the evaluator's recursion inside the stack of its thread.
    pub depth_max: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { samples_max: 50_000_000, depth_max: 500 }
    }
}
