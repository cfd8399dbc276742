//! PromQL evaluated over storage: plan, columns, values, annotations.
